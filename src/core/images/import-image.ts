import { isCode, randomId } from '../../base/index.ts';
import { type Descriptor, digestOf, hostPlatform, type ImageConfig, type Manifest, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import type { Leases } from '../garbage/leases.ts';
import type { LayerUnpacker } from '../unpack/layer-unpacker.ts';
import { unpackFromContent } from '../unpack/unpack-image.ts';
import type { ImageRecord, ImageStore } from './images.ts';
import { resolveImage } from './resolve-image.ts';

export interface ImportImage {
  /** canonical, such as `docker.io/library/hello:latest` */
  readonly name: string;
  /** Platform and process settings; `rootfs` is made here. */
  readonly config: Partial<Omit<ImageConfig, 'rootfs'>>;
  /** Plain tar archives, lowest first. */
  readonly layers: readonly Uint8Array[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ImportTarget {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly unpacker: LayerUnpacker;
  readonly leases: Leases;
}

/** Stores an image that is in memory, as if it had been pulled. Doing it again changes nothing. */
export async function importImage({ content, images, unpacker, leases }: ImportTarget, image: ImportImage): Promise<ImageRecord> {
  using lease = leases.acquire();
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    lease.add(descriptor.digest);
    await putBlob(content, descriptor, bytes);
    return descriptor;
  };
  const layers: Descriptor[] = [];
  for (const layer of image.layers) layers.push(await put(layer, mediaTypes.ociLayer));
  const config = await put(
    Buffer.from(JSON.stringify({ ...hostPlatform(), ...image.config, rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) } })),
    mediaTypes.ociConfig,
  );
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const target = await put(Buffer.from(JSON.stringify(manifest)), mediaTypes.ociManifest);
  const resolved = await resolveImage(content, target, hostPlatform());
  for (const chainId of resolved.chainIds) lease.add(chainId);
  await unpackFromContent(unpacker, content, resolved, image.signal);
  return await images.put({ name: image.name, target, ...(image.labels === undefined ? {} : { labels: image.labels }) });
}

/** Small blobs are stored under an ingest of their own, so that two who store the same do not wait for each other. One that a crash left is garbage. */
export const putPrefix = 'put-';

/** Stores bytes under their digest; that they are there already is fine. */
export async function putBlob(content: ContentStore, { digest, size }: Descriptor, bytes: Uint8Array): Promise<void> {
  try {
    await using writer = await content.writer({ ref: `${putPrefix}${randomId()}`, expectedDigest: digest, expectedSizeBytes: size });
    await writer.write(bytes);
    await writer.commit({});
  } catch (error) {
    if (!isCode(error, 'AlreadyExists')) throw error;
    if (!(await isDamaged(content, digest, size))) return;
    await putBlob(content, { mediaType: '', digest, size }, bytes);
  }
}

/** Reading a damaged blob sets it aside. */
async function isDamaged(content: ContentStore, digest: string, size: number): Promise<boolean> {
  try {
    await content.readAll(digest, size);
    return false;
  } catch (error) {
    if (isCode(error, 'DataLoss') || isCode(error, 'NotFound')) return true;
    throw error;
  }
}
