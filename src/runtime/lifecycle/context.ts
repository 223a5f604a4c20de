import type { ExitRecord, Op, Report } from '../../kernel/index.ts';
import type { Machine } from '../compile/options.ts';
import type { StateStore } from '../state/store.ts';

export interface LaunchedProgram {
  readonly report: Report;
  /** rejects Unavailable when the program ends without telling, as a detached one does */
  readonly exited: Promise<ExitRecord>;
}

/** What the verbs need of kernel's Launcher. */
export interface ProgramLauncher {
  /** a program of host operations, to its end */
  run(operations: readonly Op[]): Promise<Report>;
  /** up to the first report; a failed operation is thrown */
  launch(operations: readonly Op[]): Promise<LaunchedProgram>;
}

/** What the verbs of the OCI command line work with. */
export interface RuntimeContext {
  readonly store: StateStore;
  readonly launcher: ProgramLauncher;
  /** read at need only */
  readonly machine: () => Machine;
  readonly warn: (message: string) => void;
}
