/** Layers: tar streams that are applied to a directory tree, and made of what differs between two. */
import type { FileOp, WalkItem, WalkOptions } from '../../kernel/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';

/**
 * Where file operations go: a session whose process is chrooted into the target (kernel's FileSession). A failed operation is thrown by a later call.
 * Nobody else may resolve a path in an unpacked tree.
 */
export interface FileSink extends AsyncDisposable {
  /** Takes operations in order; resolves when there is room for more. */
  write(operations: readonly FileOp[]): Promise<void>;
  /** Everything before is done, directory times are set and, when durable, the filesystem is flushed. */
  sync(durable: boolean): Promise<void>;
}

/** What can be known of one entry. */
export interface FileFacts {
  /** With the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  readonly links: bigint;
}

/** A sink that can be asked too. */
export interface FileTree extends FileSink {
  list(path: string): Promise<readonly { readonly name: string /** DT_* of getdents64(2) */; readonly type: number }[]>;
  /** Of the entry itself, a link is not followed. NotFound. */
  stat(path: string): Promise<FileFacts>;
  /** All of a tree as one stream (kernel's FileSession.walk). Nothing else may be asked while it is read. */
  walk(path: string, options?: WalkOptions): AsyncIterable<readonly WalkItem[]>;
  /** Content of a regular file, links are followed inside the root. */
  readStream(path: string): AsyncIterable<Uint8Array>;
}

/** Opens a session that is chrooted into a host directory, or into what a snapshot shows: that one read-only, unless it is one directory. */
export type OpenFileTree = (place: string | SnapshotMount, options?: { readonly signal?: AbortSignal }) => Promise<FileTree>;

/** A path that differs between two trees, with its leading slash. */
export interface Change {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly path: string;
}

export interface CompareOptions {
  /** Paths, with their leading slash, where a container's start makes empty files and directories to mount something there: new ones are no change. */
  readonly mountPoints?: readonly string[];
  /** Of a layer: no file in it is newer, ns since the epoch (SOURCE_DATE_EPOCH). */
  readonly latestNs?: bigint | undefined;
  readonly signal?: AbortSignal;
}

/** Says what differs between two snapshots. The lower one is undefined for an empty tree. */
export interface Comparer {
  /**
   * The layer that makes `upper` of `lower`: an uncompressed tar stream that depends on the two trees alone, not on where or when. When the uppermost directory
   * of `upper` lies on just those of `lower`, it is read alone; else both trees are. InvalidArgument for a path of more than 4095 bytes: it is in no layer.
   */
  layer(lower: SnapshotMount | undefined, upper: SnapshotMount, options?: CompareOptions): AsyncIterable<Uint8Array>;
  /** In the order of the paths, a directory before what it holds. The root itself is no change. */
  changes(lower: SnapshotMount | undefined, upper: SnapshotMount, options?: CompareOptions): AsyncIterable<readonly Change[]>;
}

export type LayerCompression = 'none' | 'gzip' | 'zstd';

/** Bounds of what a layer may be; beyond them it is ResourceExhausted. */
export interface LayerLimits {
  /** of the decompressed stream */
  readonly bytes: number;
  /** Decompressed bytes for each compressed one, once there are more than `expansionFreeBytes`: gzip reaches 1032 on zeros, files that are used about 20. */
  readonly expansion: number;
  readonly expansionFreeBytes: number;
  readonly entries: number;
  /** of one path or link target (PATH_MAX) */
  readonly pathBytes: number;
  readonly pathDepth: number;
  /** of one extended header */
  readonly headerBytes: number;
}

export const defaultLayerLimits: LayerLimits = {
  bytes: 64 * 2 ** 30,
  expansion: 100,
  expansionFreeBytes: 2 ** 30,
  entries: 1_000_000,
  pathBytes: 4095,
  pathDepth: 1024,
  headerBytes: 1 << 20,
};

export interface ApplyOptions {
  /** Named in errors: the layer's digest. */
  readonly name: string;
  readonly compression: LayerCompression;
  /** `overlay`: as overlayfs has them in an upper directory; `plain`: what they hide is removed. */
  readonly whiteouts: 'overlay' | 'plain';
  readonly limits?: Partial<LayerLimits>;
  /** DataLoss when the decompressed stream does not hash to it. */
  readonly expectedDiffId?: string;
  /** What the decompressed stream hashes to, asked at its end, where somebody else hashes it already. */
  readonly knownDiffId?: (() => string) | undefined;
  readonly signal?: AbortSignal;
}

export interface AppliedLayer {
  /** Digest of the decompressed stream. */
  readonly diffId: string;
  /** Of that stream. */
  readonly archiveBytes: number;
  /** Content of regular files, and the number of entries; more names of a file count once. */
  readonly sizeBytes: number;
  readonly inodes: number;
  /** Whether the layer says mode and owner of the root directory itself. */
  readonly hasRoot: boolean;
}
