import { pipeline, Readable } from 'node:stream';
import { createGzip, createZstdCompress } from 'node:zlib';

const outputBytes = 256 << 10;

/** Packs, on a thread of its own. The same bytes make the same bytes: neither name nor time stand in a header. */
export async function* compress(source: AsyncIterable<Uint8Array>, compression: 'gzip' | 'zstd' = 'gzip'): AsyncGenerator<Uint8Array> {
  const options = { chunkSize: outputBytes };
  const transform = compression === 'gzip' ? createGzip(options) : createZstdCompress(options);
  let failure: { readonly error: unknown } | undefined;
  const input = Readable.from(
    (async function* () {
      try {
        yield* source;
      } catch (error) {
        failure = { error };
        throw error;
      }
    })(),
    { objectMode: true, highWaterMark: 4 },
  );
  // Its error reaches the reader of `transform`.
  pipeline(input, transform, () => undefined);
  try {
    for await (const chunk of transform) yield chunk as Uint8Array;
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    transform.destroy();
  }
}
