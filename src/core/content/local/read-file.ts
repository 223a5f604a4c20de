import { open } from 'node:fs/promises';

/** Large enough that calls do not count, small enough that hashing one does not hold up the event loop (about 1 ms). */
const chunkBytes = 256 << 10;

/** The bytes of a file from `offset`, `length` of them or all; every chunk is the reader's own. */
export async function* readFileChunks(
  file: string,
  {
    offset = 0,
    length = Number.POSITIVE_INFINITY,
    signal,
  }: { readonly offset?: number; readonly length?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  await using handle = await open(file, 'r');
  let left = length;
  let position = offset;
  while (left > 0) {
    signal?.throwIfAborted();
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, left));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
