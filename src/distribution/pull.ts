import { isCode, KeyedLock, StrakeError, shortId } from '../base/index.ts';
import {
  type ContentStore,
  checkLayers,
  chooseManifest,
  documentLimitBytes,
  holdsBlob,
  type ImageRecord,
  type ImageStore,
  type LayerUnpacker,
  type Lease,
  type Leases,
  movedOn,
  putBlob,
  type ResolvedImage,
  resolveImage,
  unpackImage,
} from '../core/index.ts';
import {
  canonicalName,
  type Descriptor,
  familiarName,
  familiarRepository,
  formatPlatform,
  hostPlatform,
  type Platform,
  parseImageConfig,
  parseImageDocument,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../oci/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { PlainHosts } from './hosts/plain-hosts.ts';
import { canGoOn, resumableMs } from './interrupted.ts';
import { layerSource } from './layer-source.ts';
import { layerProgress, type PullProgress, progressWords } from './progress.ts';
import { fetchBlob } from './registry/fetch-blob.ts';
import { fetchDocument } from './registry/fetch-document.ts';
import { RegistryClient, type RegistrySettings } from './registry/registry-client.ts';
import { addSource } from './sources.ts';

export interface PullerOptions extends RegistrySettings {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly unpacker: LayerUnpacker;
  readonly leases: Leases;
  /** What was acknowledged survives a power loss: called before a pull is done. */
  readonly flush: () => void;
}

export interface PullOptions {
  /** As a user writes it. */
  readonly reference: string;
  readonly platform?: Platform | undefined;
  readonly credentials?: Credentials | undefined;
  readonly progress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PulledImage {
  readonly record: ImageRecord;
  readonly image: ResolvedImage;
  /** false: the name stood for this content already. */
  readonly isNew: boolean;
}

export type PullImage = (options: PullOptions) => Promise<PulledImage>;

/** Pulls images into the stores: documents first, then layers in parallel, unpacked as they arrive. The image gets its name last. */
export function createPuller(stores: PullerOptions): PullImage {
  const locks = new KeyedLock();
  const plainHosts = new PlainHosts();
  return async ({ reference: text, platform = hostPlatform(), credentials, progress = () => undefined, signal }) => {
    const reference = withDefaultTag(parseReference(text));
    const client = new RegistryClient({ ...stores, plainHosts, domain: reference.domain, credentials });
    using lease = stores.leases.acquire({ name: `pull ${canonicalName(reference)} ${formatPlatform(platform)}`, forMs: resumableMs });
    const pull: Pull = { stores, client, reference, lease, locks, signal };
    try {
      return await pullImage(pull, platform, progress);
    } catch (error) {
      if (canGoOn(error, signal)) lease.keep();
      throw error;
    }
  };
}

async function pullImage(pull: Pull, platform: Platform, progress: (progress: PullProgress) => void): Promise<PulledImage> {
  const { stores, reference } = pull;
  const target = await storeDocument(pull, reference);
  progress({ id: reference.tag ?? reference.digest ?? '', status: `Pulling from ${familiarRepository(reference)}` });
  const image = await fetchImage(pull, target, platform);
  const isKnown = (await stores.images.list()).some((record) => record.target.digest === target.digest);
  await fetchLayers(pull, image, isKnown ? withoutKnown(progress) : progress);
  await rememberSource(pull, image);
  const { record, isNew } = await nameImage(pull, target);
  stores.flush();
  progress({ status: `Digest: ${target.digest}` });
  const familiar = familiarName(reference);
  progress({ status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${familiar}` });
  return { record, image, isNew };
}

/** Layers of an image that is here already are not told of, unless something is missing and is fetched again. */
function withoutKnown(progress: (progress: PullProgress) => void): (progress: PullProgress) => void {
  return (event) => {
    if (event.status !== progressWords.exists && event.status !== progressWords.listed) progress(event);
  };
}

interface Pull {
  readonly stores: PullerOptions;
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly lease: Lease;
  readonly locks: KeyedLock;
  readonly signal: AbortSignal | undefined;
}

/** Fetches and stores a manifest or index. */
async function storeDocument({ stores, client, lease, signal }: Pull, reference: Reference): Promise<Descriptor> {
  const { descriptor, bytes } = await fetchDocument(client, reference, signal);
  lease.add(descriptor.digest);
  await putBlob(stores.content, descriptor, bytes);
  return descriptor;
}

/** Gets manifest and configuration for the platform into the content store. */
async function fetchImage(pull: Pull, target: Descriptor, platform: Platform): Promise<ResolvedImage> {
  const { stores, reference, lease } = pull;
  const document = parseImageDocument(await stores.content.readAll(target.digest, documentLimitBytes), target.mediaType, target.digest);
  let manifest = document.kind === 'manifest' ? document.manifest : undefined;
  if (document.kind === 'index') {
    const chosen = chooseManifest(document.index.manifests, platform, target.digest);
    const fetched = await storeDocument(pull, { ...reference, tag: undefined, digest: chosen.digest });
    const inner = parseImageDocument(await stores.content.readAll(fetched.digest, documentLimitBytes), chosen.mediaType, chosen.digest);
    if (fetched.size !== chosen.size)
      throw new StrakeError('DataLoss', `manifest ${chosen.digest} has ${fetched.size} bytes, the index says ${chosen.size}`, {
        fields: { layer: 'distribution' },
      });
    manifest = inner.kind === 'manifest' ? inner.manifest : undefined;
  }
  if (manifest === undefined) throw new StrakeError('InvalidArgument', `index ${target.digest} names another index`, { fields: { layer: 'distribution' } });
  for (const descriptor of [manifest.config, ...manifest.layers]) lease.add(descriptor.digest);
  const config = parseImageConfig(await fetchConfig(pull, manifest.config), manifest.config.digest);
  checkLayers(manifest, config, target.digest);
  const image = await resolveImage(stores.content, target, platform);
  for (const chainId of image.chainIds) lease.add(chainId);
  return image;
}

async function fetchConfig({ stores, client, reference, signal }: Pull, config: Descriptor): Promise<Uint8Array> {
  if (config.size > documentLimitBytes)
    throw new StrakeError('OutOfRange', `configuration ${config.digest} is larger than ${documentLimitBytes} bytes`, { fields: { layer: 'distribution' } });
  try {
    return await stores.content.readAll(config.digest, documentLimitBytes);
  } catch (error) {
    // A damaged one was set aside.
    if (!(isCode(error, 'NotFound') || isCode(error, 'DataLoss'))) throw error;
  }
  const bytes = Buffer.concat(await Array.fromAsync(fetchBlob(client, { repository: reference.path, blob: config, signal })));
  await putBlob(stores.content, config, bytes);
  return bytes;
}

async function fetchLayers(
  { stores, client, reference, locks, signal }: Pull,
  image: ResolvedImage,
  progress: (progress: PullProgress) => void,
): Promise<void> {
  const { layers } = image.manifest;
  for (const { digest } of layers) progress({ id: shortId(digest), status: progressWords.listed, progressDetail: { current: 0, total: 0 } });
  const listeners = layers.map(({ digest }) => layerProgress(digest, progress));
  await unpackImage(stores.unpacker, {
    image,
    source: (index, context) =>
      layerSource({ ...context, locks, client, content: stores.content, repository: reference.path, layer: layers[index] as Descriptor }),
    onEvent: (index, event) => listeners[index]?.(event),
    signal,
  });
  // A snapshot needs its blob no more, a push does: one that was set aside as damaged comes again.
  for (const [index, layer] of layers.entries()) {
    if (await holdsBlob(stores.content, layer.digest)) continue;
    const source = layerSource({
      locks,
      client,
      content: stores.content,
      repository: reference.path,
      layer,
      signal: signal ?? never,
      emit: (event) => listeners[index]?.(event),
    });
    for await (const _ of source);
  }
}

/** The signal of work that nobody stops. */
const never = new AbortController().signal;

/** Where the blobs came from, for a push to another repository of the same registry. */
async function rememberSource({ stores, reference, locks }: Pull, { manifest }: ResolvedImage): Promise<void> {
  const { domain, path: repository } = reference;
  for (const { digest } of [manifest.config, ...manifest.layers]) await addSource(stores.content, locks, { domain, repository, digest });
}

/** Gives the image its name. What had the name stays under its digest, as docker's untagged images do. */
async function nameImage({ stores, reference }: Pull, target: Descriptor): Promise<{ readonly record: ImageRecord; readonly isNew: boolean }> {
  const name = canonicalName(reference);
  const all = await stores.images.list();
  const before = all.find((record) => record.name === name);
  if (before?.target.digest === target.digest) return { record: before, isNew: false };
  const isLastName = before !== undefined && all.filter((record) => record.target.digest === before.target.digest).length === 1;
  if (isLastName) await stores.images.put({ name: `${repositoryName(reference)}@${before.target.digest}`, target: before.target, labels: before.labels });
  const labels = before === undefined ? {} : { labels: movedOn(before, target.digest) };
  return { record: await stores.images.put({ name, target, ...labels }), isNew: true };
}
