import type { Descriptor } from '../../oci/index.ts';

/** The registry that a cache stands before. Throws NotFound for what it has not, Unavailable when it cannot be reached. */
export interface Upstream {
  /** For the log. */
  readonly name: string;
  /** The digest that a tag stands for there; undefined when it does not say without the whole manifest. */
  resolve(repository: string, tag: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** Manifest or index, verified. */
  manifest(
    repository: string,
    name: { readonly tag: string } | { readonly digest: string },
    signal: AbortSignal | undefined,
  ): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>;
  blobSize(repository: string, digest: string, signal: AbortSignal | undefined): Promise<number>;
  /** Its bytes, not verified. */
  blob(repository: string, digest: string, sizeBytes: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
