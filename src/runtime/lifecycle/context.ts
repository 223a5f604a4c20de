import { StrakeError } from '../../base/index.ts';
import type { Op, Report } from '../../kernel/index.ts';
import type { Machine } from '../compile/options.ts';
import type { StateStore } from '../state/store.ts';
import type { CgroupManager } from './cgroup.ts';
import type { Terminal } from './foreground-terminal.ts';

/** Hears what each program reports, with a duration of every operation. */
export interface Observer {
  reported(operations: readonly Op[], report: Report): void;
}

/** Every method throws `frontGone` when the process that runs programs has died. */
export interface ProgramLauncher {
  /** Runs a program up to its first report, of host operations alone to its end. A failed operation is thrown. */
  run(operations: readonly Op[]): Report;
  /** The same, and the DATA frames that came before the report. */
  ask(operations: readonly Op[]): readonly Buffer[];
  /** Lets the process of the last program go on, which waits for its start on the connection: returns when execve has succeeded. `operations`: that program. */
  start(operations: readonly Op[]): void;
  /** What had to be written down of the process that the program waits for is: its exit status becomes ours, and the program's cleanup may take all away. */
  handOver(): void;
  /** After the hand-over: returns when the process has ended, and its cleanup is done. */
  awaitExit(): void;
  /** From now on programs are timed. */
  observe(observer: Observer): void;
}

/** What the verbs of the OCI command line work with. */
export interface RuntimeContext {
  readonly store: StateStore;
  /** the store's directory was named by the caller: it must be there to be listed */
  readonly rootIsGiven: boolean;
  readonly launcher: ProgramLauncher;
  readonly terminal: Terminal;
  /** read at need only */
  readonly machine: () => Machine;
  /** cgroups are taken where they can be had, and a container without limits does without */
  readonly rootless: boolean;
  readonly cgroupManager: CgroupManager;
  readonly warn: (message: string) => void;
  readonly debug: (message: string) => void;
  /** says what was done since the last call, for a trace */
  readonly phase: (name: string) => void;
}

export function frontGone(what: string): StrakeError {
  return new StrakeError('Unavailable', `strake-init answered with ${what}`, { fields: { layer: 'runtime' } });
}

export function isFrontGone(error: unknown): boolean {
  return error instanceof StrakeError && error.code === 'Unavailable' && error.fields['layer'] === 'runtime';
}
