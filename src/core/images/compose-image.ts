import { type Descriptor, digestOf, type ImageConfig, type Manifest, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import type { Lease } from '../garbage/leases.ts';
import { putBlob } from './put-blob.ts';

/** Stores the configuration and the manifest of an image whose layers are stored, one a diff id. Answers the manifest's descriptor; `lease` holds what is made. */
export async function composeImage(
  content: ContentStore,
  lease: Lease,
  image: { readonly config: ImageConfig; readonly layers: readonly Descriptor[] },
): Promise<Descriptor> {
  const put = async (document: object, mediaType: string): Promise<Descriptor> => {
    const bytes = Buffer.from(JSON.stringify(document));
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    lease.add(descriptor.digest);
    await putBlob(content, descriptor, bytes);
    return descriptor;
  };
  const config = await put(image.config, mediaTypes.ociConfig);
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: image.layers };
  return await put(manifest, mediaTypes.ociManifest);
}
