/** Filesystem snapshots with containerd's semantics (core/snapshots/snapshotter.go): active ones are written, committed ones are parents. */
import type { IdMap } from '../../runtime/index.ts';

export type SnapshotKind = 'active' | 'view' | 'committed';

export interface SnapshotInfo {
  readonly key: string;
  readonly parent: string | undefined;
  readonly kind: SnapshotKind;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** How to mount a snapshot: handed to the runtime, never mounted by the store. */
export type SnapshotMount =
  | {
      readonly type: 'overlay' /** uppermost first, host paths */;
      readonly lowers: readonly string[];
      readonly upper: string | undefined;
      readonly work: string | undefined;
      readonly readonly: boolean;
      /** Of the lower ones; the upper has the ids that are shown. */
      readonly idMap?: IdMap;
    }
  | { readonly type: 'bind'; readonly source: string; readonly readonly: boolean; readonly idMap?: IdMap };

export interface SnapshotUsage {
  readonly sizeBytes: number;
  readonly inodes: number;
}

export interface CommitOptions {
  readonly labels?: Readonly<Record<string, string>>;
  /** The committed parent of a snapshot that was prepared without one, so that layers are unpacked before those below them. NotFound when absent. */
  readonly parent?: string;
  /** Mode and owner of the root directory are the parent's: what was written into the snapshot did not say them. */
  readonly inheritRoot?: boolean;
  /** When who wrote the files has counted them; else they are counted at the first `usage`. */
  readonly usage?: SnapshotUsage;
}

/**
 * With these labels, containerd's, a snapshot shows the files of those below it with other owners, and its own root directory is the mapped one's:
 * `CONTAINER:HOST:SIZE`, several joined by commas. InvalidArgument where the snapshotter cannot map.
 */
export const mappingLabels = { uids: 'containerd.io/snapshot/uidmapping', gids: 'containerd.io/snapshot/gidmapping' } as const;

export interface Snapshotter {
  /** As containerd's labels and leases call it: `overlayfs`, `native`. */
  readonly name: string;
  /** Whether a layer can be unpacked before those below it, without a parent, and get it when it is committed; else it is unpacked over its parent. */
  readonly unpacksApart: boolean;
  /** NotFound when absent; DataLoss when its record is damaged or its files are gone: to commit it again puts it right. */
  stat(key: string): Promise<SnapshotInfo>;
  /** A new writable snapshot over a committed parent. AlreadyExists when the key is taken, NotFound when the parent is not there. */
  prepare(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount>;
  /** As prepare, read-only. */
  view(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount>;
  mounts(key: string): Promise<SnapshotMount>;
  /** Turns the active snapshot `key` into the committed `name`. AlreadyExists when `name` is there, unless that is damaged: then it is healed, and those above it stay. */
  commit(name: string, key: string, options?: CommitOptions): Promise<void>;
  usage(key: string): Promise<SnapshotUsage>;
  /** Replaces all labels. */
  setLabels(key: string, labels: Readonly<Record<string, string>>): Promise<SnapshotInfo>;
  /** Changes the labels named; the empty text takes one away. */
  mergeLabels(key: string, labels: Readonly<Record<string, string>>): Promise<SnapshotInfo>;
  /** FailedPrecondition while it has children. The files go at once or at the next `cleanup`. */
  remove(key: string): Promise<void>;
  /** Those that any of the filters selects, in containerd's language: `name`, `parent`, `kind`, `labels.NAME`. */
  walk(filters?: readonly string[]): AsyncIterable<SnapshotInfo>;
  /** Removes directories that no record knows (after a crash). */
  cleanup(): Promise<void>;
  /** The directory that layer files are written to when unpacking into an active snapshot, and whether whiteouts are written as overlayfs has them. */
  unpackTarget(key: string): Promise<{ readonly dir: string; readonly whiteouts: 'overlay' | 'plain' }>;
}
