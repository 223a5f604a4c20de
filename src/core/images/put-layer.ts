import { gather, isCode, randomId } from '../../base/index.ts';
import { type Descriptor, Digester, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { decompressWithin } from '../diff/decompress-within.ts';
import { defaultLayerLimits, type LayerCompression, type LayerLimits } from '../diff/diff.ts';
import { sniffCompression } from '../diff/sniff.ts';
import type { Lease } from '../garbage/leases.ts';
import { type OnLayer, readAway } from '../unpack/on-layer.ts';
import { putPrefix } from './put-blob.ts';

export interface StoredLayer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

export const layerTypes: Readonly<Record<LayerCompression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

export interface PutLayerOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where it is known, the archive need not be unpacked to know it. */
  readonly diffId?: string;
  readonly limits?: LayerLimits | undefined;
  /** Is given the blob while it is stored, unless that has to be unpacked to know its diff id. */
  readonly onLayer?: OnLayer | undefined;
}

/** Stores a tar archive, plain or packed with gzip or zstd, as a layer, in one pass and as it is. `lease` holds it before it is there. */
export async function putLayer(
  content: ContentStore,
  lease: Lease,
  archive: AsyncIterable<Uint8Array>,
  { signal, diffId, limits = defaultLayerLimits, onLayer = readAway }: PutLayerOptions = {},
): Promise<StoredLayer> {
  const { compression, source } = await sniffCompression(archive);
  const ref = `${putPrefix}${randomId()}`;
  const writer = await content.writer({ ref });
  let done = false;
  try {
    const stored = store(gather(source), async (chunk) => {
      signal?.throwIfAborted();
      await writer.write(chunk);
    });
    const unpacked = compression === 'none' || diffId !== undefined ? undefined : new Digester();
    if (unpacked !== undefined) for await (const chunk of decompressWithin(stored, compression, limits)) unpacked.update(chunk);
    else await onLayer({ bytes: stored, compression, digest: () => writer.digest() });
    const digest = writer.digest();
    lease.add(digest);
    const { sizeBytes } = await writer.commit({ digest });
    done = true;
    return { descriptor: { mediaType: layerTypes[compression], digest, size: sizeBytes }, diffId: diffId ?? unpacked?.digest() ?? digest };
  } finally {
    await writer.close();
    if (!done) await forget(content, ref);
  }
}

async function* store(source: AsyncIterable<Uint8Array>, write: (chunk: Uint8Array) => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    await write(chunk);
    yield chunk;
  }
}

async function forget(content: ContentStore, ref: string): Promise<void> {
  try {
    await content.abort(ref);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
