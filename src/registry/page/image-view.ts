import { isCode } from '../../base/index.ts';
import { type Descriptor, type Manifest, mediaTypes, parseImageDocument } from '../../oci/index.ts';
import { limits } from '../limits.ts';
import type { ManifestRecord } from '../store/catalogue.ts';
import type { Storage } from '../store/storage.ts';

/** One image of a tag: the tag's own, or one of its index. */
export interface ImageView {
  readonly digest: string;
  /** `linux/amd64`; of an image without an index, from its configuration. */
  readonly platform: string;
  readonly layers: readonly Descriptor[];
  /** Configuration and layers. */
  readonly sizeBytes: number;
}

/** A tag has at most so many images on the page; indexes have a few. */
const maxImages = 64;

/** The images that a manifest or an index stands for; those that are here. */
export async function imagesOf(storage: Storage, repository: string, record: ManifestRecord): Promise<readonly ImageView[]> {
  const document = await read(storage, record);
  if (document === undefined) return [];
  if (document.kind === 'manifest') return [await view(storage, record.digest, document.manifest, undefined)];
  const views: ImageView[] = [];
  for (const entry of document.index.manifests.slice(0, maxImages)) {
    const member = storage.catalogue.manifest(repository, entry.digest);
    const inner = member && (await read(storage, member));
    if (inner?.kind === 'manifest') views.push(await view(storage, entry.digest, inner.manifest, entry.platform));
  }
  return views;
}

async function view(storage: Storage, digest: string, manifest: Manifest, platform: Descriptor['platform']): Promise<ImageView> {
  const { config, layers } = manifest;
  return {
    digest,
    platform: formatPlatform(platform ?? (await platformOf(storage, config))),
    layers,
    sizeBytes: [config, ...layers].reduce((sum, { size }) => sum + size, 0),
  };
}

async function read({ content }: Storage, { digest, mediaType }: ManifestRecord): Promise<ReturnType<typeof parseImageDocument> | undefined> {
  const bytes = await orAbsent(content.readAll(digest, limits.manifestBytes));
  return bytes && parseImageDocument(bytes, mediaType, digest);
}

async function platformOf({ content }: Storage, { mediaType, digest, size }: Descriptor): Promise<Partial<Record<'os' | 'architecture' | 'variant', unknown>>> {
  if ((mediaType !== mediaTypes.ociConfig && mediaType !== mediaTypes.dockerConfig) || size > limits.manifestBytes) return {};
  const bytes = await orAbsent(content.readAll(digest, limits.manifestBytes));
  try {
    return (JSON.parse(Buffer.from(bytes ?? []).toString()) ?? {}) as Record<string, unknown>;
  } catch {
    // Nobody says that it is JSON but its media type, which a client wrote.
    return {};
  }
}

function formatPlatform({ os, architecture, variant }: Partial<Record<'os' | 'architecture' | 'variant', unknown>>): string {
  return [os, architecture, variant].filter((part) => typeof part === 'string' && part !== '').join('/');
}

async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isCode(error, 'NotFound') || isCode(error, 'DataLoss') || isCode(error, 'OutOfRange')) return undefined;
    throw error;
  }
}
