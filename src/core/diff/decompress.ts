import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { LayerCompression } from './diff.ts';

/** One call of the decompressor fills this much: hashing it holds up the event loop for under 1 ms, and larger ones gain nothing (measured). */
const outputBytes = 256 << 10;

/** The decompressed bytes of a layer. The decompressor runs on a thread of its own, beside whoever hashes and applies. Damage is DataLoss. */
export async function* decompress(source: AsyncIterable<Uint8Array>, compression: LayerCompression): AsyncGenerator<Uint8Array> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const options = { chunkSize: outputBytes };
  const transform = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  let sourceError: unknown;
  const input = Readable.from(
    withFailure(source, (error) => {
      sourceError = error;
    }),
    { objectMode: true, highWaterMark: 4 },
  );
  // The error reaches the reader of `transform`.
  pipeline(input, transform, () => undefined);
  try {
    for await (const chunk of transform) yield chunk as Uint8Array;
  } catch (cause) {
    if (sourceError !== undefined) throw sourceError;
    throw new StrakeError('DataLoss', `${compression} data is damaged: ${errorMessage(cause)}`, { cause, fields: { layer: 'core', operation: 'decompress' } });
  } finally {
    transform.destroy();
  }
}

/** Tells what the source itself fails with: damage that the decompressor finds is thrown into whoever feeds it, too. */
async function* withFailure(source: AsyncIterable<Uint8Array>, tell: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        tell(error);
        throw error;
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
