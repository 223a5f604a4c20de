import { isCode, StrakeError } from '../../base/index.ts';
import {
  canonicalName,
  type Descriptor,
  digestOf,
  isIndexType,
  isManifestType,
  type Manifest,
  mediaTypes,
  parseImageConfig,
  parseImageDocument,
  parseJson,
  parseReference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { decompressWithin } from '../diff/decompress-within.ts';
import { defaultLayerLimits, type LayerCompression, type LayerLimits } from '../diff/diff.ts';
import { compressionOf, sniffCompression } from '../diff/sniff.ts';
import type { Lease } from '../garbage/leases.ts';
import { putBlob } from '../images/put-blob.ts';
import { layerTypes } from '../images/put-layer.ts';
import { checkLayers, documentLimitBytes } from '../images/resolve-image.ts';
import { type ArchivedImage, type DockerManifestItem, indexFile, layoutFile, layoutVersion, manifestFile, nameAnnotation, refAnnotation } from './archive.ts';
import { type ArchiveFiles, type ArchiveTarget, readArchive } from './read-archive.ts';

const maxImages = 4096;
const maxNames = 4096;

export interface LoadArchiveOptions extends ArchiveTarget {
  /** Of the whole archive, unpacked. */
  readonly limits?: Pick<LayerLimits, 'bytes' | 'expansion' | 'expansionFreeBytes'> | undefined;
  /** Names as the archive says them, with tags alone that name no repository; else canonical names, without such tags. */
  readonly namesAsWritten?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores the blobs of an archive, plain or packed with gzip or zstd, and says what images it has: by its OCI index where that is whole, else by docker's manifest. Nothing is
 * unpacked and no image gets its name; `lease` holds the blobs until the caller has done so. InvalidArgument for what is no archive of images.
 */
export async function loadArchive(
  source: AsyncIterable<Uint8Array>,
  { content, lease, onLayer, limits = defaultLayerLimits, namesAsWritten = false, signal }: LoadArchiveOptions,
): Promise<readonly ArchivedImage[]> {
  const packed = await sniffCompression(source);
  const files = await readArchive(decompressWithin(packed.source, packed.compression, limits), { content, lease, onLayer }, signal);
  const archive = { content, lease, files, items: dockerItems(files), namesAsWritten };
  if (files.document(layoutFile) !== undefined && files.document(indexFile) !== undefined) {
    checkLayout(files);
    return mergeNames(await mapInOrder(indexOf(files), async (descriptor) => await fromIndex(archive, descriptor)));
  }
  if (files.document(manifestFile) === undefined)
    throw invalid(`archive is not one of images: it has neither ${indexFile} with ${layoutFile} nor ${manifestFile}`);
  return mergeNames(await mapInOrder(archive.items, async (item) => await fromDocker(archive, item)));
}

interface Archive {
  readonly content: ContentStore;
  readonly lease: Lease;
  readonly files: ArchiveFiles;
  /** Of docker's manifest; none when there is none. */
  readonly items: readonly DockerManifestItem[];
  readonly namesAsWritten: boolean;
}

async function mapInOrder<Item, Result>(items: readonly Item[], map: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await map(item));
  return results;
}

function checkLayout(files: ArchiveFiles): void {
  const layout = parseJson(String(files.document(layoutFile)), layoutFile) as { readonly imageLayoutVersion?: unknown } | null;
  if (layout?.imageLayoutVersion !== layoutVersion)
    throw invalid(`${layoutFile} of the archive has version ${JSON.stringify(layout?.imageLayoutVersion)}, ${layoutVersion} is supported`);
}

function indexOf(files: ArchiveFiles): readonly Descriptor[] {
  const document = parseImageDocument(files.document(indexFile) ?? new Uint8Array(), mediaTypes.ociIndex, `${indexFile} of the archive`);
  if (document.kind !== 'index') throw invalid(`${indexFile} of the archive is not an index`);
  // Artifacts, such as signatures, are no images.
  return document.index.manifests.filter(({ mediaType }) => isIndexType(mediaType) || isManifestType(mediaType));
}

async function fromIndex(archive: Archive, descriptor: Descriptor): Promise<ArchivedImage> {
  const { content, files, items, namesAsWritten } = archive;
  const { mediaType, digest, size } = descriptor;
  const document = parseImageDocument(await readBlob(content, digest), mediaType, `manifest ${digest} of the archive`);
  const names = namesAsWritten ? writtenNames(descriptor) : annotatedNames(descriptor);
  if (document.kind === 'index') return { target: { mediaType, digest, size }, names };
  const configDigest = document.manifest.config.digest;
  const config = parseImageConfig(await readBlob(content, configDigest), `configuration ${configDigest} of the archive`);
  const item = items.find(({ Config }) => files.blob(Config)?.digest === configDigest);
  // docker 25.0 wrote manifests without layers beside its own, which are whole.
  if (item !== undefined && document.manifest.layers.length !== config.rootfs.diff_ids.length) return await fromDocker(archive, item);
  checkLayers(document.manifest, config, digest);
  // Whoever wants the names as they are written wants those of the layout: docker's say the same in another form.
  return { target: { mediaType, digest, size }, names: namesAsWritten ? names : [...names, ...tagNames(item)] };
}

/** Makes the manifest that docker's archives have not: the layers as they are there. */
async function fromDocker({ content, lease, files }: Archive, item: DockerManifestItem): Promise<ArchivedImage> {
  const config = blobOf(files, item.Config);
  const layers: Descriptor[] = [];
  for (const name of item.Layers) {
    const { digest, sizeBytes } = blobOf(files, name);
    layers.push({ mediaType: layerTypes[await compressionOfBlob(content, digest)], digest, size: sizeBytes });
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.sizeBytes },
    layers,
  };
  checkLayers(manifest, parseImageConfig(await readBlob(content, config.digest), `configuration ${item.Config} of the archive`), item.Config);
  const bytes = Buffer.from(JSON.stringify(manifest));
  const target = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length };
  lease.add(target.digest);
  await putBlob(content, target, bytes);
  return { target, names: tagNames(item) };
}

async function compressionOfBlob(content: ContentStore, digest: string): Promise<LayerCompression> {
  const head = await Array.fromAsync(content.read(digest, { offset: 0, length: 6 }));
  return compressionOf(Buffer.concat(head));
}

function blobOf(files: ArchiveFiles, name: string) {
  const blob = files.blob(name);
  if (blob === undefined) throw invalid(`archive has no file ${JSON.stringify(name.slice(0, 200))}, which its ${manifestFile} names`);
  return blob;
}

async function readBlob(content: ContentStore, digest: string): Promise<Uint8Array> {
  try {
    return await content.readAll(digest, documentLimitBytes);
  } catch (cause) {
    if (!isCode(cause, 'NotFound')) throw cause;
    throw new StrakeError('InvalidArgument', `archive has no blob ${digest}, which its ${indexFile} names`, { cause, fields: { layer: 'core', digest } });
  }
}

function dockerItems(files: ArchiveFiles): readonly DockerManifestItem[] {
  const bytes = files.document(manifestFile);
  if (bytes === undefined) return [];
  const value = parseJson(bytes.toString(), `${manifestFile} of the archive`);
  if (!Array.isArray(value) || value.length > maxImages || !value.every(isItem)) throw invalid(`${manifestFile} of the archive is not a list of images`);
  return value;
}

function isItem(value: unknown): value is DockerManifestItem {
  if (typeof value !== 'object' || value === null) return false;
  const { Config, RepoTags, Layers } = value as Partial<Record<keyof DockerManifestItem, unknown>>;
  const texts = (list: unknown) => Array.isArray(list) && list.length <= maxNames && list.every((entry) => typeof entry === 'string');
  return typeof Config === 'string' && texts(Layers) && (RepoTags === undefined || RepoTags === null || texts(RepoTags));
}

/** containerd's annotation, or image-spec's where that is missing. */
function writtenNames({ annotations }: Descriptor): readonly string[] {
  const text = annotations?.[nameAnnotation] ?? annotations?.[refAnnotation];
  return typeof text === 'string' && text !== '' ? [text] : [];
}

/** The names of an index's entry. A tag alone, as `latest`, is none: it says nothing of a repository. */
function annotatedNames({ annotations }: Descriptor): readonly string[] {
  const whole = annotations?.[nameAnnotation];
  const ref = annotations?.[refAnnotation];
  const text = typeof whole === 'string' ? whole : typeof ref === 'string' && /[:/]/.test(ref) ? ref : undefined;
  return text === undefined ? [] : [nameOf(text)];
}

function tagNames(item: DockerManifestItem | undefined): readonly string[] {
  return (item?.RepoTags ?? []).map(nameOf);
}

function nameOf(text: string): string {
  try {
    return canonicalName(withDefaultTag(parseReference(text)));
  } catch (cause) {
    throw new StrakeError('InvalidArgument', `archive has an image with the invalid name ${JSON.stringify(text.slice(0, 200))}`, {
      cause,
      fields: { layer: 'core' },
    });
  }
}

/** One image for each target: an index names it once for every tag. */
function mergeNames(images: readonly ArchivedImage[]): readonly ArchivedImage[] {
  const byDigest = Map.groupBy(images, ({ target }) => target.digest);
  return [...byDigest.values()].flatMap((same) =>
    same[0] === undefined ? [] : [{ target: same[0].target, names: [...new Set(same.flatMap(({ names }) => names))] }],
  );
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'core' } });
}
