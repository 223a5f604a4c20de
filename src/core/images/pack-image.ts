import { type Descriptor, digestOf, layerCompression, type Manifest, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { compress } from '../diff/compress.ts';
import type { Lease } from '../garbage/leases.ts';
import { putBlob } from './put-blob.ts';
import { putLayer } from './put-layer.ts';

/**
 * The same image with every plain layer packed with gzip: what is made here is stored plain, for that is quick, and goes over the network packed. The configuration, and so the
 * image's id, stays; the manifest is another one. Undefined when there is no plain layer.
 */
export async function packImage(content: ContentStore, lease: Lease, manifest: Manifest, signal?: AbortSignal): Promise<Descriptor | undefined> {
  const isPlain = ({ mediaType }: Descriptor) => layerCompression(mediaType) === 'none';
  if (!manifest.layers.some(isPlain)) return undefined;
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) {
    if (!isPlain(layer)) layers.push(layer);
    else
      layers.push(
        (await putLayer(content, lease, compress(content.read(layer.digest, signal === undefined ? {} : { signal })), { signal, diffId: layer.digest }))
          .descriptor,
      );
  }
  const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: layers.map((layer) => ofKind(layer, manifest)) }));
  const target = { mediaType: manifest.mediaType ?? mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
  lease.add(target.digest);
  await putBlob(content, target, bytes);
  return target;
}

/** Docker's manifests have Docker's names for layers. */
function ofKind(layer: Descriptor, { mediaType }: Manifest): Descriptor {
  return mediaType === mediaTypes.dockerManifest && layer.mediaType === mediaTypes.ociLayerGzip ? { ...layer, mediaType: mediaTypes.dockerLayerGzip } : layer;
}
