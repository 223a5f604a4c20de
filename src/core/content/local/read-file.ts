import { closeSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';

/** Large enough that calls do not count, small enough that hashing one does not hold up the event loop (about 1 ms). */
const chunkBytes = 256 << 10;

const readAt = promisify(read);

/** The bytes of a file from `offset`, `length` of them or all; every chunk is the reader's own. */
export async function* readFileChunks(
  file: string,
  {
    offset = 0,
    length = Number.POSITIVE_INFINITY,
    signal,
  }: { readonly offset?: number; readonly length?: number; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  // Not by a thread, which costs more than the two calls: whoever reads a blob has looked at its inode already.
  const descriptor = openSync(file, 'r');
  let left = length;
  let position = offset;
  const next = () => {
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, left));
    const reading = readAt(descriptor, buffer, 0, buffer.length, position);
    // Whoever stops reading does not ask how it went.
    reading.catch(() => undefined);
    return reading;
  };
  // One ahead: the disk works while the reader does.
  let reading = left > 0 ? next() : undefined;
  try {
    while (reading !== undefined) {
      signal?.throwIfAborted();
      const { bytesRead, buffer } = await reading;
      position += bytesRead;
      left -= bytesRead;
      reading = bytesRead === 0 || left === 0 ? undefined : next();
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await reading?.catch(() => undefined);
    closeSync(descriptor);
  }
}
