import { gather, isCode, type KeyedLock } from '../base/index.ts';
import type { ContentStore, ContentWriter, LayerEvent } from '../core/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { fetchBlob } from './registry/fetch-blob.ts';
import { isTransient, type RegistryClient } from './registry/registry-client.ts';

export interface LayerSourceOptions {
  readonly client: RegistryClient;
  readonly content: ContentStore;
  readonly repository: string;
  readonly layer: Descriptor;
  readonly signal: AbortSignal;
  readonly emit: (event: LayerEvent) => void;
  /** Blobs that are on their way in this process: one layer may be wanted above several others, even in one image. */
  readonly locks: KeyedLock;
}

/**
 * The bytes of a layer: from the content store, or from the registry while they are stored and verified, so that unpacking needs no second pass.
 * Ends only when the blob is committed; a bad blob throws at its end, and whoever consumed it throws away what was made of it.
 */
export async function* layerSource(options: LayerSourceOptions): AsyncGenerator<Uint8Array> {
  using _lock = await options.locks.take(options.layer.digest, options.signal);
  yield* download(options);
}

async function* download(options: LayerSourceOptions): AsyncGenerator<Uint8Array> {
  const { content, layer, signal } = options;
  const ref = `layer-${layer.digest}`;
  let writer: ContentWriter;
  try {
    writer = await content.writer({ ref, expectedDigest: layer.digest, expectedSizeBytes: layer.size });
  } catch (error) {
    if (!isCode(error, 'AlreadyExists')) throw error;
    yield* fromStore(options);
    return;
  }
  // What was refused, by the store or by whoever unpacks it, must not be gone on with; what was interrupted can be.
  let resumable = false;
  try {
    yield* fromRegistry(options, writer);
    resumable = true;
  } catch (error) {
    resumable = isTransient(error) || isCode(error, 'DeadlineExceeded');
    throw error;
  } finally {
    await writer.close();
    if (!resumable && !signal.aborted) await forget(content, ref);
  }
}

async function forget(content: ContentStore, ref: string): Promise<void> {
  try {
    await content.abort(ref);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}

async function* fromRegistry(options: LayerSourceOptions, open: ContentWriter): AsyncGenerator<Uint8Array> {
  const { layer, signal, emit } = options;
  // The beginning is not in this stream when an earlier try left it: download the rest first, then unpack from the store.
  const isResumed = open.offsetBytes > 0;
  const fetched = fetchBlob(options.client, { repository: options.repository, blob: layer, offset: open.offsetBytes, signal });
  for await (const chunk of gather(fetched)) {
    await open.write(chunk);
    emit({ state: 'downloading', currentBytes: open.offsetBytes, totalBytes: layer.size });
    if (!isResumed) yield chunk;
  }
  emit({ state: 'verifying' });
  await open.commit({});
  emit({ state: 'downloaded' });
  if (isResumed) yield* fromStore(options);
  else emit({ state: 'extracting', currentBytes: layer.size, totalBytes: layer.size });
}

async function* fromStore({ content, layer, signal, emit }: LayerSourceOptions): AsyncGenerator<Uint8Array> {
  let currentBytes = 0;
  for await (const chunk of content.read(layer.digest, { signal })) {
    currentBytes += chunk.length;
    emit({ state: 'extracting', currentBytes, totalBytes: layer.size });
    yield chunk;
  }
}
