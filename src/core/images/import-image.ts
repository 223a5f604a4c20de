import { type Descriptor, digestOf, hostPlatform, type ImageConfig, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import type { Leases } from '../garbage/leases.ts';
import type { LayerUnpacker } from '../unpack/layer-unpacker.ts';
import { unpackFromContent } from '../unpack/unpack-image.ts';
import { composeImage } from './compose-image.ts';
import type { ImageRecord, ImageStore } from './images.ts';
import { putBlob } from './put-blob.ts';
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
  const layers: Descriptor[] = [];
  for (const bytes of image.layers) {
    const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.length };
    lease.add(layer.digest);
    await putBlob(content, layer, bytes);
    layers.push(layer);
  }
  const target = await composeImage(content, lease, {
    config: { ...hostPlatform(), ...image.config, rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) } },
    layers,
  });
  const resolved = await resolveImage(content, target, hostPlatform());
  for (const chainId of resolved.chainIds) lease.add(chainId);
  await unpackFromContent(unpacker, content, resolved, image.signal);
  return await images.put({ name: image.name, target, ...(image.labels === undefined ? {} : { labels: image.labels }) });
}
