import { isCode, StrakeError } from '../../base/index.ts';
import {
  choosePlatform,
  type Descriptor,
  familiarName,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  type Manifest,
  mediaTypes,
  normalizePlatform,
  type Platform,
  parseImageConfig,
  parseImageDocument,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { encodeEntry, endOfArchive, paddingOf } from '../diff/tar/encode.ts';
import type { TarEntry } from '../diff/tar/entry.ts';
import { chooseManifest, documentLimitBytes } from '../images/resolve-image.ts';
import {
  type ArchivedImage,
  blobPath,
  type DockerManifestItem,
  indexFile,
  layoutFile,
  layoutVersion,
  manifestFile,
  nameAnnotation,
  refAnnotation,
} from './archive.ts';

export interface SaveArchiveOptions {
  readonly content: ContentStore;
  readonly images: readonly ArchivedImage[];
  /** Of images for several, this one alone; else whatever is here. */
  readonly platform?: Platform | undefined;
  /** Of images for several, these; the index itself goes along. Undefined: whatever is here. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Without docker's manifest. */
  readonly layoutOnly?: boolean | undefined;
  /** Without layers that are not to be given on, which their registry has. */
  readonly distributableOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * An archive of the images, in the order in which it can be read as it comes: the documents first, then each blob once. NotFound before the first byte when something of an
 * image is missing. Equal images make equal archives.
 */
export async function saveArchive(options: SaveArchiveOptions): Promise<AsyncIterable<Uint8Array>> {
  const plan = new Plan();
  for (const image of options.images) await plan.add(options, image);
  return writePlan(plan, options);
}

/** A manifest with all that it needs. */
interface WholeManifest {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** What goes into the archive. */
class Plan {
  /** By digest, in the order in which they are written: documents before layers. */
  readonly documents = new Map<string, number>();
  readonly layers = new Map<string, number>();
  readonly index: Descriptor[] = [];
  readonly items: DockerManifestItem[] = [];

  async add(options: SaveArchiveOptions, { target, names }: ArchivedImage): Promise<void> {
    const { root, manifests } = await resolve(options, target);
    this.documents.set(root.digest, root.size);
    for (const { descriptor, manifest } of manifests) {
      this.documents.set(descriptor.digest, descriptor.size);
      this.documents.set(manifest.config.digest, manifest.config.size);
      for (const { digest, size, mediaType } of manifest.layers)
        if (!(options.distributableOnly === true && /nondistributable|\.foreign\./.test(mediaType))) this.layers.set(digest, size);
    }
    const first = choosePlatform(manifests, ({ config }) => platformOf(config), hostPlatform()) ?? manifests[0];
    if (first === undefined) return;
    const entry = { ...root, ...(root === first.descriptor ? { platform: platformOf(first.config) } : {}) };
    this.index.push(...(names.length === 0 ? [entry] : names.map((name) => ({ ...entry, annotations: annotationsOf(name) }))));
    const tags = names.map(referenceOf).flatMap((reference) => (reference === undefined ? [] : [familiarName(withDefaultTag(reference))]));
    this.items.push({
      Config: blobPath(first.manifest.config.digest),
      RepoTags: tags.length === 0 ? null : tags,
      Layers: first.manifest.layers.map(({ digest }) => blobPath(digest)),
    });
  }
}

/** What the archive's entry points at, and its manifests that are here as a whole. */
async function resolve(
  { content, platform, platforms }: SaveArchiveOptions,
  target: Descriptor,
): Promise<{ readonly root: Descriptor; readonly manifests: readonly WholeManifest[] }> {
  const { mediaType, digest, size } = target;
  const root = { mediaType, digest, size };
  const document = parseImageDocument(await content.readAll(digest, documentLimitBytes), mediaType, `image ${digest}`);
  if (document.kind === 'manifest') {
    const whole = await wholeManifest(content, root);
    if (platform !== undefined) chooseManifest([{ ...root, platform: platformOf(whole.config) }], platform, digest);
    return { root: whole.descriptor, manifests: [whole] };
  }
  if (platform !== undefined) {
    const whole = await wholeManifest(content, chooseManifest(document.index.manifests, platform, digest));
    return { root: whole.descriptor, manifests: [whole] };
  }
  const manifests: WholeManifest[] = [];
  for (const descriptor of document.index.manifests) {
    if (!isWanted(descriptor, platforms)) continue;
    const whole = await ifWhole(wholeManifest(content, descriptor));
    if (whole !== undefined) manifests.push(whole);
  }
  if (manifests.length === 0) throw new StrakeError('NotFound', `image ${digest} has no platform whose content is here`, { fields: { layer: 'core', digest } });
  return { root, manifests };
}

/** What names no platform belongs to all. */
function isWanted({ platform }: Descriptor, platforms: readonly Platform[] | undefined): boolean {
  if (platforms === undefined || platform === undefined) return true;
  const name = formatPlatform(normalizePlatform(platform));
  return platforms.some((wanted) => formatPlatform(normalizePlatform(wanted)) === name);
}

async function wholeManifest(content: ContentStore, { mediaType, digest, size }: Descriptor): Promise<WholeManifest> {
  const what = `manifest ${digest}`;
  const document = parseImageDocument(await content.readAll(digest, documentLimitBytes), mediaType, what);
  if (document.kind !== 'manifest')
    throw new StrakeError('InvalidArgument', `${what}: an index within an index is not supported`, { fields: { layer: 'core' } });
  const { manifest } = document;
  const config = parseImageConfig(await content.readAll(manifest.config.digest, documentLimitBytes), `configuration ${manifest.config.digest}`);
  for (const layer of manifest.layers) await content.info(layer.digest);
  return { descriptor: { mediaType, digest, size }, manifest, config };
}

/** Of several platforms, those that were never fetched are left out; so are those that are no images, such as attestations. */
async function ifWhole(reading: Promise<WholeManifest>): Promise<WholeManifest | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isCode(error, 'NotFound') || isCode(error, 'InvalidArgument')) return undefined;
    throw error;
  }
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return { architecture, os, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) };
}

function annotationsOf(name: string): Readonly<Record<string, string>> {
  const tag = referenceOf(name)?.tag;
  return { [nameAnnotation]: name, ...(tag === undefined ? {} : { [refAnnotation]: tag }) };
}

/** Undefined for a name that is no reference: the store takes any. */
function referenceOf(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

async function* writePlan(plan: Plan, { content, layoutOnly = false, signal }: SaveArchiveOptions): AsyncGenerator<Uint8Array> {
  const { documents, layers, index, items } = plan;
  const digests = [...documents, ...layers].map(([digest]) => digest);
  for (const directory of ['blobs', ...new Set(digests.map((digest) => `blobs/${digest.slice(0, digest.indexOf(':'))}`))])
    yield encodeEntry(entryOf('directory', `${directory}/`, 0o755, 0));
  const manifestList = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: index };
  for (const [name, value] of [
    [layoutFile, { imageLayoutVersion: layoutVersion }],
    [indexFile, manifestList],
    ...(layoutOnly ? [] : [[manifestFile, items] as const]),
  ] as const) {
    const bytes = Buffer.from(JSON.stringify(value));
    yield Buffer.concat([encodeEntry(entryOf('file', name, 0o644, bytes.length)), bytes, paddingOf(bytes.length)]);
  }
  for (const [digest, size] of [...documents, ...layers]) {
    yield encodeEntry(entryOf('file', blobPath(digest), 0o644, size));
    let written = 0;
    for await (const chunk of content.read(digest, signal === undefined ? {} : { signal })) {
      written += chunk.length;
      yield chunk;
    }
    // The header has promised another size: what follows would be read as something else.
    if (written !== size)
      throw new StrakeError('DataLoss', `blob ${digest} has ${written} bytes, its manifest says ${size}`, { fields: { layer: 'core', digest } });
    yield paddingOf(size);
  }
  yield endOfArchive;
}

function entryOf(kind: 'file' | 'directory', name: string, mode: number, sizeBytes: number): TarEntry {
  return { kind, name, linkName: '', mode, uid: 0, gid: 0, sizeBytes, mtimeNs: 0n, devMajor: 0, devMinor: 0, xattrs: [] };
}
