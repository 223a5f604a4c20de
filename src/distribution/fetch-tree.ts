import { isCode, KeyedLock, Slots, StrakeError } from '../base/index.ts';
import {
  type ContentStore,
  documentLimitBytes,
  holdsBlob,
  type LayerEvent,
  type LayerUnpacker,
  type Lease,
  putBlob,
  type ResolvedImage,
  resolveImage,
  unpackImage,
} from '../core/index.ts';
import {
  type Descriptor,
  formatPlatform,
  isIndexType,
  isManifestType,
  type Manifest,
  normalizePlatform,
  type Platform,
  parseImageDocument,
  type Reference,
} from '../oci/index.ts';
import type { Credentials } from './auth/credentials.ts';
import { PlainHosts } from './hosts/plain-hosts.ts';
import { layerSource } from './layer-source.ts';
import { defaultDownloads } from './limits.ts';
import { fetchDocument } from './registry/fetch-document.ts';
import { RegistryClient, type RegistrySettings } from './registry/registry-client.ts';
import { addSource } from './sources.ts';

export interface TreeFetcherOptions {
  /** Blobs that are fetched at once, of all fetches together; those that are unpacked have the unpacker's own limit. */
  readonly downloads?: number | undefined;
}

export interface FetchTreeOptions {
  readonly content: ContentStore;
  readonly unpacker: LayerUnpacker;
  /** With a tag or a digest. */
  readonly reference: Reference;
  readonly registry: RegistrySettings;
  readonly credentials?: Credentials | undefined;
  /** Of an index, the manifests of these, and those that name none; undefined: all. */
  readonly platforms?: readonly Platform[] | undefined;
  /** Documents of other platforms too: manifests and configurations without layers. */
  readonly allMetadata?: boolean | undefined;
  /** Of an index, at most so many manifests, those of the first platforms first. */
  readonly manifestLimit?: number | undefined;
  /** Whether the image of this platform gets snapshots, made as its layers come in. */
  readonly unpacks: (platform: Platform) => boolean;
  /** Holds all that is fetched until the caller has given it a name. */
  readonly lease: Lease;
  /** Once for each descriptor below another, before it is fetched. */
  readonly onFound?: ((descriptor: Descriptor, parent: Descriptor | undefined) => void) | undefined;
  readonly onEvent?: ((descriptor: Descriptor, event: LayerEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type FetchTree = (options: FetchTreeOptions) => Promise<Descriptor>;

/** An index of indexes is as deep as anyone makes them. */
const maxDepth = 4;
/** Manifests of all indexes of one fetch. */
const maxManifests = 4096;

/**
 * Fetches what a reference stands for, as it is: every platform that is asked for, artifacts and indexes of indexes too. The image gets no name. NotFound when an index has
 * nothing for the platforms. A blob that several fetches of one fetcher want at once comes once, whatever their stores.
 */
export function createTreeFetcher({ downloads = defaultDownloads }: TreeFetcherOptions = {}): FetchTree {
  const locks = new KeyedLock();
  const plainHosts = new PlainHosts();
  const slots = new Slots(downloads);
  return async (options) => {
    const { content, unpacker, reference, registry, credentials, signal } = options;
    const client = new RegistryClient({ ...registry, plainHosts, domain: reference.domain, credentials });
    const stop = new AbortController();
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const fetch = new TreeFetch(options, { content, unpacker, locks, slots, client, stop, signal: stopped });
    const target = await fetch.document(reference);
    await fetch.below(target, 0);
    signal?.throwIfAborted();
    return target;
  };
}

interface Means {
  readonly content: ContentStore;
  readonly unpacker: LayerUnpacker;
  readonly locks: KeyedLock;
  readonly slots: Slots;
  readonly client: RegistryClient;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
}

class TreeFetch {
  readonly #options: FetchTreeOptions;
  readonly #means: Means;
  #manifests = 0;

  constructor(options: FetchTreeOptions, means: Means) {
    this.#options = options;
    this.#means = means;
  }

  /** Fetches and stores the document that a reference stands for. */
  async document(reference: Reference, parent?: Descriptor): Promise<Descriptor> {
    const { content, client, signal } = this.#means;
    const { descriptor, bytes } = await fetchDocument(client, reference, signal);
    if (parent === undefined) this.#options.onFound?.(descriptor, undefined);
    this.#options.lease.add(descriptor.digest);
    const isHere = await holdsBlob(content, descriptor.digest);
    await putBlob(content, descriptor, bytes);
    await this.#remember(descriptor);
    this.#options.onEvent?.(descriptor, { state: isHere ? 'exists' : 'complete' });
    return descriptor;
  }

  /** All that a stored document refers to. */
  async below(target: Descriptor, depth: number, withLayers = true): Promise<void> {
    const document = parseImageDocument(await this.#means.content.readAll(target.digest, documentLimitBytes), target.mediaType, target.digest);
    if (document.kind === 'manifest') await this.#manifest(target, document.manifest, withLayers);
    else await this.#index(target, document.index.manifests, depth);
  }

  async #index(target: Descriptor, manifests: readonly Descriptor[], depth: number): Promise<void> {
    if (depth === maxDepth) throw tooMuch(`index ${target.digest} is below ${maxDepth} others`);
    const wanted = this.#wanted(manifests);
    if (wanted.length === 0)
      throw new StrakeError('NotFound', `no match for platform in manifest ${target.digest}`, { fields: { layer: 'distribution', digest: target.digest } });
    const chosen = this.#options.allMetadata === true ? manifests : wanted;
    this.#manifests += chosen.length;
    if (this.#manifests > maxManifests) throw tooMuch(`${this.#options.reference.path} has more than ${maxManifests} manifests`);
    for (const child of chosen) this.#options.onFound?.(child, target);
    await this.#together(chosen, async (child) => {
      if (!(isIndexType(child.mediaType) || isManifestType(child.mediaType))) return await this.#blob(child);
      const { path, domain } = this.#options.reference;
      const fetched = await this.document({ domain, path, tag: undefined, digest: child.digest }, target);
      if (fetched.size !== child.size)
        throw new StrakeError('DataLoss', `manifest ${child.digest} has ${fetched.size} bytes, the index says ${child.size}`, {
          fields: { layer: 'distribution' },
        });
      await this.below(child, depth + 1, wanted.includes(child));
    });
  }

  /** Those for the platforms, in their order; what names no platform comes last. */
  #wanted(manifests: readonly Descriptor[]): readonly Descriptor[] {
    const { platforms, manifestLimit } = this.#options;
    if (platforms === undefined) return manifests.slice(0, manifestLimit ?? manifests.length);
    const names = platforms.map((platform) => formatPlatform(normalizePlatform(platform)));
    const rank = ({ platform }: Descriptor) => (platform === undefined ? names.length : names.indexOf(formatPlatform(normalizePlatform(platform))));
    const wanted = manifests.filter((manifest) => rank(manifest) !== -1).sort((one, other) => rank(one) - rank(other));
    return wanted.slice(0, manifestLimit ?? wanted.length);
  }

  async #manifest(target: Descriptor, manifest: Manifest, withLayers: boolean): Promise<void> {
    const { onFound, lease } = this.#options;
    const layers = withLayers ? manifest.layers : [];
    for (const descriptor of [manifest.config, ...layers]) {
      onFound?.(descriptor, target);
      lease.add(descriptor.digest);
    }
    await this.#blob(manifest.config);
    const image = withLayers ? await this.#unpackable(target, manifest) : undefined;
    if (image === undefined) await this.#together(layers, async (layer) => await this.#blob(layer));
    else await this.#unpack(image);
    for (const { digest, size, mediaType } of [manifest.config, ...layers]) await this.#remember({ digest, size, mediaType });
  }

  /** The image that a manifest is, when its platform is one to unpack; artifacts are none. */
  async #unpackable(target: Descriptor, manifest: Manifest): Promise<ResolvedImage | undefined> {
    const { lease, unpacks } = this.#options;
    if (!/\.config\.v1\+json$|\.container\.image\.v1\+json$/.test(manifest.config.mediaType)) return undefined;
    const image = await resolveImage(this.#means.content, target, { os: '', architecture: '' });
    const { os, architecture, variant } = image.config;
    if (!unpacks(normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) }))) return undefined;
    for (const chainId of image.chainIds) lease.add(chainId);
    return image;
  }

  async #unpack(image: ResolvedImage): Promise<void> {
    const { content, unpacker, signal } = this.#means;
    const { layers } = image.manifest;
    const tell = (index: number, event: LayerEvent) => this.#options.onEvent?.(layers[index] as Descriptor, event);
    await unpackImage(unpacker, {
      image,
      source: (index, { signal: own, emit }) => this.#source(layers[index] as Descriptor, own, emit),
      onEvent: tell,
      signal,
    });
    // A snapshot needs its blob no more, an export does.
    await this.#together(layers, async (layer) => {
      if (!(await holdsBlob(content, layer.digest))) await this.#blob(layer);
    });
  }

  async #blob(blob: Descriptor): Promise<void> {
    const { content, slots, signal } = this.#means;
    const { lease, onEvent } = this.#options;
    lease.add(blob.digest);
    if (await holdsBlob(content, blob.digest)) return onEvent?.(blob, { state: 'exists' });
    using _slot = await slots.take(signal);
    const emit = (event: LayerEvent) => {
      if (event.state !== 'extracting') onEvent?.(blob, event);
    };
    for await (const _ of this.#source(blob, signal, emit));
    onEvent?.(blob, { state: 'complete' });
  }

  #source(layer: Descriptor, signal: AbortSignal, emit: (event: LayerEvent) => void): AsyncIterable<Uint8Array> {
    const { content, client, locks } = this.#means;
    return layerSource({ client, content, locks, repository: this.#options.reference.path, layer, signal, emit });
  }

  /** Where it came from, for a push to another repository of the same registry. */
  async #remember({ digest }: Descriptor): Promise<void> {
    const { content, locks } = this.#means;
    const { domain, path: repository } = this.#options.reference;
    try {
      await addSource(content, locks, { domain, repository, digest });
    } catch (error) {
      // Of a blob that was not fetched, as its snapshot is here.
      if (!isCode(error, 'NotFound')) throw error;
    }
  }

  /** The first failure stops the others, and is thrown once they have stopped. */
  async #together<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    await Promise.all(
      items.map(async (item) => {
        try {
          await act(item);
        } catch (error) {
          failure ??= { error };
          this.#means.stop.abort(error);
        }
      }),
    );
    if (failure) throw failure.error;
  }
}

function tooMuch(problem: string): StrakeError {
  return new StrakeError('ResourceExhausted', problem, { fields: { layer: 'distribution' } });
}
