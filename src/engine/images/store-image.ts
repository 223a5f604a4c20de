import { errorMessage } from '../../base/index.ts';
import {
  type ContentStore,
  type ImageFacts,
  type LayerEvent,
  type LayerLimits,
  type LayersAhead,
  type LayerUnpacker,
  type Lease,
  type Leases,
  unpackImage,
} from '../../core/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { danglingName } from './image.ts';
import type { Images } from './images.ts';

/** What images are made with, besides the stores that they stay in. */
export interface ImageWork {
  readonly images: Images;
  readonly unpacker: LayerUnpacker;
  readonly leases: Leases;
  readonly layerLimits: LayerLimits;
}

export interface StoreImageOptions {
  /** Holds the image's blobs. */
  readonly lease: Lease;
  /** Layers that are unpacked already. */
  readonly ahead?: LayersAhead | undefined;
  readonly onLayer?: (diffId: string, event: LayerEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Unpacks an image whose blobs are stored. It has no name yet: `assign` one, or `keepNameless`, before the lease ends. */
export async function unpackStored(
  { images, unpacker }: ImageWork,
  target: Descriptor,
  { lease, ahead, onLayer, signal }: StoreImageOptions,
): Promise<ImageFacts> {
  images.forgetTarget(target);
  const facts = await images.read(target);
  const chainIds = facts.layers.map(({ chainId }) => chainId);
  for (const resource of [...facts.digests, ...chainIds]) lease.add(resource);
  await unpackImage(unpacker, {
    image: { manifest: facts.manifest, config: facts.config, chainIds },
    source: (index, { signal: ended, emit }) => layerFromStore(images.options.content, facts.manifest.layers[index] as Descriptor, ended, emit),
    ahead,
    onEvent: (index, event) => onLayer?.(facts.layers[index]?.diffId ?? '', event),
    signal,
  });
  return facts;
}

/** Makes something of an image; when that fails, what it has stored goes. */
export async function makeImage<T>({ images }: ImageWork, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    // The failure is the one to tell.
    await images.options
      .collectGarbage()
      .catch((cause: unknown) => images.options.log.warn('what a failed work on an image left was not removed', { error: errorMessage(cause) }));
    throw error;
  }
}

/** A nameless place in the list, unless the image has a name. */
export async function keepNameless({ options: { store } }: Images, target: Descriptor): Promise<void> {
  if ((await store.list()).some((record) => record.target.digest === target.digest)) return;
  await store.put({ name: danglingName(target.digest), target });
}

async function* layerFromStore(content: ContentStore, layer: Descriptor, signal: AbortSignal, emit: (event: LayerEvent) => void): AsyncGenerator<Uint8Array> {
  let currentBytes = 0;
  for await (const chunk of content.read(layer.digest, { signal })) {
    currentBytes += chunk.length;
    emit({ state: 'extracting', currentBytes, totalBytes: layer.size });
    yield chunk;
  }
}
