import type { SnapshotMount } from '../snapshots/snapshots.ts';

/** A root filesystem: one that nobody runs in yet, or the one that a process sees. */
export type RootSource = { readonly kind: 'mount'; readonly mount: SnapshotMount } | { readonly kind: 'process'; readonly pid: number };

/** Reads files of a hostile root filesystem without following anything out of it. */
export interface RootFiles {
  /**
   * The contents in the order of `paths`; undefined where there is no such file. InvalidArgument for what is not a regular file (a FIFO, a device),
   * OutOfRange above `limitBytes`.
   */
  read(source: RootSource, paths: readonly string[], limitBytes: number): Promise<readonly (Buffer | undefined)[]>;
}
