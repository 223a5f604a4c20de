/** Named pointers to content: a reference such as `docker.io/library/busybox:latest` and the descriptor that it stands for. */
import type { Descriptor } from '../../oci/index.ts';

export interface ImageRecord {
  readonly name: string;
  readonly target: Descriptor;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What can change. Merged: those that are named; the empty text takes one away. */
export interface ImageChange {
  readonly target?: Descriptor;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly mergeLabels?: Readonly<Record<string, string>>;
  readonly mergeAnnotations?: Readonly<Record<string, string>>;
}

export interface ImageStore {
  /** NotFound when absent; DataLoss when its record is damaged: `put` heals it. */
  get(name: string): Promise<ImageRecord>;
  /** Those that any of the filters selects, in containerd's language: `name`, `target.digest`, `target.mediatype`, `labels.NAME`, `annotations.NAME`. */
  list(filters?: readonly string[]): Promise<readonly ImageRecord[]>;
  create(image: { readonly name: string; readonly target: Descriptor; readonly labels?: Readonly<Record<string, string>> }): Promise<ImageRecord>;
  /** Creates or replaces target and labels; atomic. */
  put(image: { readonly name: string; readonly target: Descriptor; readonly labels?: Readonly<Record<string, string>> }): Promise<ImageRecord>;
  /** Changes the fields given, all of them or none. NotFound when absent. */
  update(name: string, change: ImageChange): Promise<ImageRecord>;
  /** With a digest only if the name still stands for that; NotFound otherwise. */
  delete(name: string, options?: { readonly target?: string }): Promise<void>;
}
