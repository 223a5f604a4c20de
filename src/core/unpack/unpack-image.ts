import type { ContentStore } from '../content/content.ts';
import type { ResolvedImage } from '../images/resolve-image.ts';
import type { LayerEvent, LayerJob, LayerUnpacker } from './layer-unpacker.ts';
import type { LayersAhead } from './layers-ahead.ts';

export interface UnpackImageOptions {
  readonly image: Pick<ResolvedImage, 'manifest' | 'config' | 'chainIds'>;
  /** Where the bytes of a layer come from when they are needed. */
  readonly source: (index: number, context: Parameters<LayerJob['source']>[0]) => AsyncIterable<Uint8Array>;
  /** What was unpacked before it was known to be of this image. */
  readonly ahead?: LayersAhead | undefined;
  readonly onEvent?: (index: number, event: LayerEvent) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Makes the snapshots of all layers. The first failure stops the others, and is thrown once they have stopped. */
export async function unpackImage(unpacker: LayerUnpacker, { image, source, ahead, onEvent, signal }: UnpackImageOptions): Promise<void> {
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const jobs: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  for (const [index, layer] of image.manifest.layers.entries()) {
    const below = image.chainIds[index - 1];
    const diffId = image.config.rootfs.diff_ids[index] ?? '';
    const job = unpacker.ensure({
      layer,
      diffId,
      chainId: image.chainIds[index] ?? '',
      parent: below === undefined ? undefined : { chainId: below, ready: jobs[index - 1] ?? Promise.resolve() },
      source: (context) => source(index, context),
      ahead: () => ahead?.take(diffId),
      signal: stopped,
      onEvent: (event) => onEvent?.(index, event),
    });
    jobs.push(job);
    job.catch((error: unknown) => {
      failure ??= { error };
      stop.abort(error);
    });
  }
  await Promise.allSettled(jobs);
  signal?.throwIfAborted();
  if (failure) throw failure.error;
}

/** Unpacks an image whose blobs are here. */
export async function unpackFromContent(unpacker: LayerUnpacker, content: ContentStore, image: ResolvedImage, signal?: AbortSignal): Promise<void> {
  await unpackImage(unpacker, {
    image,
    source: (index, context) => content.read(image.manifest.layers[index]?.digest ?? '', { signal: context.signal }),
    signal,
  });
}
