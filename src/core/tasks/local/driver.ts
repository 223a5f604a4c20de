import type { Op } from '../../../kernel/index.ts';
import type { ProcessSpec, ResourcesSpec } from '../../../oci/index.ts';
import type { CheckpointOptions, StdioOptions } from '../tasks.ts';

export interface ExecProgram {
  readonly execId: string;
  /** Its task directory. */
  readonly dir: string;
  readonly process: ProcessSpec;
  readonly stdio: StdioOptions;
  readonly privileged: boolean;
}

/** What is done to a container by who made it: our runtime, or another one's binary. */
export interface TaskDriver {
  /** The program of one more process, up to its START. */
  execOperations(exec: ExecProgram): readonly Op[];
  /** Returns once every process is frozen, or none. FailedPrecondition where the container has ended. */
  freeze(frozen: boolean): Promise<void>;
  update(resources: ResourcesSpec): Promise<void>;
  checkpoint(options: CheckpointOptions): Promise<void>;
  /** Absent where the monitor's own signal is all that there is to it. */
  readonly kill?: (signal: number, all: boolean) => Promise<void>;
  /** Removes what it has made outside of the task directory, once no process is left; idempotent. */
  remove(): Promise<void>;
  /** The words of a failed launch or start, where it knows more than the program's report. */
  explain(error: unknown, verb: 'create' | 'start' | 'exec', dir: string): unknown;
}
