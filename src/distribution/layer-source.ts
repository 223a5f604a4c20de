import { isCode } from '../base/index.ts';
import type { ContentStore, ContentWriter, LayerEvent } from '../core/index.ts';
import type { Descriptor } from '../oci/index.ts';
import { fetchBlob } from './registry/fetch-blob.ts';
import type { RegistryClient } from './registry/registry-client.ts';

export interface LayerSourceOptions {
  readonly client: RegistryClient;
  readonly content: ContentStore;
  readonly repository: string;
  readonly layer: Descriptor;
  readonly signal: AbortSignal;
  readonly emit: (event: LayerEvent) => void;
}

/**
 * The bytes of a layer: from the content store, or from the registry while they are stored and verified, so that unpacking needs no second pass.
 * Ends only when the blob is committed; a bad blob throws at its end, and whoever consumed it throws away what was made of it.
 */
export async function* layerSource(options: LayerSourceOptions): AsyncGenerator<Uint8Array> {
  const { content, layer, signal, emit } = options;
  let writer: ContentWriter;
  try {
    writer = await content.writer({ ref: `layer-${layer.digest}`, expectedDigest: layer.digest, expectedSizeBytes: layer.size });
  } catch (error) {
    if (!isCode(error, 'AlreadyExists')) throw error;
    yield* fromStore(options);
    return;
  }
  await using open = writer;
  // The beginning is not in this stream when an earlier try left it: download the rest first, then unpack from the store.
  const isResumed = open.offsetBytes > 0;
  for await (const chunk of fetchBlob(options.client, { repository: options.repository, blob: layer, offset: open.offsetBytes, signal })) {
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
