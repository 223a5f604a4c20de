/** Layers: tar streams that are applied to a directory tree. */
import type { FileOp } from '../../kernel/index.ts';

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

/** A sink that can be asked too. */
export interface FileTree extends FileSink {
  list(path: string): Promise<readonly { readonly name: string /** DT_* of getdents64(2) */; readonly type: number }[]>;
  stat(path: string): Promise<{ readonly mode: number; readonly sizeBytes: bigint; readonly inode: bigint; readonly links: bigint }>;
}

/** Opens a session that is chrooted into a host directory. */
export type OpenFileTree = (directory: string, options?: { readonly signal?: AbortSignal }) => Promise<FileTree>;

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
  readonly signal?: AbortSignal;
}

export interface AppliedLayer {
  /** Digest of the decompressed stream. */
  readonly diffId: string;
  /** Content of regular files, and the number of entries. */
  readonly sizeBytes: number;
  readonly inodes: number;
  /** Whether the layer says mode and owner of the root directory itself. */
  readonly hasRoot: boolean;
}
