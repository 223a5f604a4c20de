import { isCode, StrakeError } from '../base/index.ts';
import { type ContentStore, documentLimitBytes, holdsBlob } from '../core/index.ts';
import { choosePlatform, type Descriptor, formatPlatform, type Manifest, type Platform, parseImageConfig, parseImageDocument } from '../oci/index.ts';

export interface PlannedDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly subject: Descriptor | undefined;
}

export interface PlannedBlob {
  readonly descriptor: Descriptor;
  /** What a layer is called: its diff id where there is one, as docker shows it. Undefined for a configuration, which is not told of. */
  readonly shownAs: string | undefined;
}

export interface PushPlan {
  /** What the name will stand for. */
  readonly target: Descriptor;
  /** Whether `target` is less than what was asked for: one manifest of an index whose others are not here. */
  readonly isPart: boolean;
  readonly blobs: readonly PlannedBlob[];
  /** Manifests first, the target last: a registry takes an index only when it has what it names. */
  readonly documents: readonly PlannedDocument[];
}

/** What a push of `target` has to bring. Of an index all manifests, or the only one that is here, or the one for a platform. NotFound when content is missing. */
export async function planPush(content: ContentStore, target: Descriptor, platform: Platform | undefined): Promise<PushPlan> {
  const root = await read(content, target);
  if (root.document.kind === 'manifest') return await planManifest(content, root, root.document.manifest, false);
  const { manifests, subject } = root.document.index;
  if (platform !== undefined) {
    const chosen = choosePlatform(manifests, (entry) => entry.platform, platform);
    if (chosen === undefined)
      throw new StrakeError('NotFound', `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`, {
        fields: { layer: 'distribution' },
      });
    return await planOne(content, chosen);
  }
  const here = await whichAreHere(content, manifests);
  const [only, ...others] = here;
  if (here.length < manifests.length) {
    if (only !== undefined && others.length === 0) return await planOne(content, only);
    throw new StrakeError('NotFound', `of the ${manifests.length} manifests of ${target.digest} only ${here.length} are here`, {
      fields: { layer: 'distribution', digest: target.digest, remedy: 'push one platform' },
    });
  }
  const plans = await Promise.all(manifests.map(async (entry) => await planOne(content, entry)));
  return {
    target,
    isPart: false,
    blobs: unique(plans.flatMap(({ blobs }) => blobs)),
    documents: [...uniqueDocuments(plans.flatMap(({ documents }) => documents)), { descriptor: target, bytes: root.bytes, subject }],
  };
}

interface ReadDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly document: ReturnType<typeof parseImageDocument>;
}

async function read(content: ContentStore, descriptor: Descriptor): Promise<ReadDocument> {
  const bytes = await content.readAll(descriptor.digest, documentLimitBytes);
  return { descriptor, bytes, document: parseImageDocument(bytes, descriptor.mediaType, descriptor.digest) };
}

async function planOne(content: ContentStore, entry: Descriptor): Promise<PushPlan> {
  const one = await read(content, entry);
  if (one.document.kind === 'index')
    throw new StrakeError('InvalidArgument', `an index within an index is not supported: ${entry.digest}`, { fields: { layer: 'distribution' } });
  return await planManifest(content, one, one.document.manifest, true);
}

async function planManifest(content: ContentStore, { descriptor, bytes }: ReadDocument, manifest: Manifest, isPart: boolean): Promise<PushPlan> {
  const diffIds = await diffIdsOf(content, manifest);
  const layers = manifest.layers.map((layer, index) => ({ descriptor: layer, shownAs: diffIds[index] ?? layer.digest }));
  // What has urls is elsewhere by its author's will (image-spec, nondistributable layers), unless it is here.
  const blobs: PlannedBlob[] = [];
  for (const blob of unique([{ descriptor: manifest.config, shownAs: undefined }, ...layers]))
    if (blob.descriptor.urls === undefined || (await holdsBlob(content, blob.descriptor.digest))) blobs.push(blob);
  const { mediaType, digest, size } = descriptor;
  return { target: { mediaType, digest, size }, isPart, blobs, documents: [{ descriptor, bytes, subject: manifest.subject }] };
}

async function diffIdsOf(content: ContentStore, { config }: Manifest): Promise<readonly string[]> {
  const bytes = await content.readAll(config.digest, documentLimitBytes);
  try {
    return parseImageConfig(bytes, config.digest).rootfs.diff_ids;
  } catch (error) {
    // The configuration of an artifact is none of an image.
    if (isCode(error, 'InvalidArgument')) return [];
    throw error;
  }
}

/** Manifests with all that they name. */
async function whichAreHere(content: ContentStore, manifests: readonly Descriptor[]): Promise<readonly Descriptor[]> {
  const here: Descriptor[] = [];
  for (const entry of manifests) {
    if (!(await holdsBlob(content, entry.digest))) continue;
    const { document } = await read(content, entry);
    const parts = document.kind === 'manifest' ? [document.manifest.config, ...document.manifest.layers] : [];
    const missing = await Promise.all(parts.map(async (part) => part.urls === undefined && !(await holdsBlob(content, part.digest))));
    if (!missing.includes(true)) here.push(entry);
  }
  return here;
}

function unique(blobs: readonly PlannedBlob[]): readonly PlannedBlob[] {
  return [...new Map(blobs.toReversed().map((blob) => [blob.descriptor.digest, blob])).values()].toReversed();
}

function uniqueDocuments(documents: readonly PlannedDocument[]): readonly PlannedDocument[] {
  return [...new Map(documents.map((document) => [document.descriptor.digest, document])).values()];
}
