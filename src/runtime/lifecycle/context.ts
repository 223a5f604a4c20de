import type { Launcher } from '../../kernel/index.ts';
import type { Machine } from '../compile/options.ts';
import type { StateStore } from '../state/store.ts';

/** What the verbs of the OCI command line work with. */
export interface RuntimeContext {
  readonly store: StateStore;
  readonly launcher: Launcher;
  /** read at need only */
  readonly machine: () => Machine;
  readonly warn: (message: string) => void;
}
