import type { FileSession } from '../../kernel/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';

/** A root filesystem: one that nobody runs in yet, or the one that a process sees. */
export type RootSource = { readonly kind: 'mount'; readonly mount: SnapshotMount } | { readonly kind: 'process'; readonly pid: number };

/** What is laid over the root filesystem, as its container would have it. */
export interface RootBind {
  /** A host path. */
  readonly source: string;
  /** Resolved inside the root; made when it is missing. */
  readonly destination: string;
  readonly readonly: boolean;
  readonly recursive: boolean;
}

export interface OpenRootOptions {
  readonly source: RootSource;
  /** For a `mount`: to be written to. At most one at a time, and not while a container runs on it. A `process` sees its own mounts as they are. */
  readonly writable?: boolean;
  /** For a writable `mount`, in the order in which they are laid. */
  readonly binds?: readonly RootBind[];
  /** Aborting ends the session. */
  readonly signal?: AbortSignal | undefined;
}

/** Questions and operations whose paths are resolved in the root filesystem alone. */
export type RootTree = Pick<FileSession, 'write' | 'sync' | 'list' | 'stat' | 'enter' | 'walk' | 'readStream'> & AsyncDisposable;

/** Reads files of root filesystems; `Source` is what one is known by. */
export interface FileReader<Source> {
  /**
   * The contents in the order of `paths`; undefined where there is no such file. InvalidArgument for what is not a regular file (a FIFO, a device),
   * OutOfRange above `limitBytes`.
   */
  read(source: Source, paths: readonly string[], limitBytes: number): Promise<readonly (Buffer | undefined)[]>;
}

/** Of a hostile root filesystem, without following anything out of it. */
export interface RootFiles extends FileReader<RootSource> {
  /** A session in a process that is chrooted into the root; disposing of it ends the process and takes its mounts away. */
  open(options: OpenRootOptions): Promise<RootTree>;
}
