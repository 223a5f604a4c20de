import type { Writable } from 'node:stream';
import { StrakeError } from '../../base/index.ts';

/** Writes and, when the buffer is full, waits until it has drained; rejects once `gone` is aborted. */
export async function writeWithPressure(stream: Writable, data: Uint8Array | string, gone: AbortSignal): Promise<void> {
  if (gone.aborted || stream.destroyed || stream.writableEnded) throw clientGone();
  if (stream.write(data)) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => reject(clientGone());
  stream.once('drain', resolve);
  gone.addEventListener('abort', leave);
  try {
    await promise;
  } finally {
    stream.off('drain', resolve);
    gone.removeEventListener('abort', leave);
  }
}

/** Ends and waits until everything was handed over, or `gone`. */
export async function endAfterWrites(stream: Writable, gone: AbortSignal): Promise<void> {
  if (gone.aborted || stream.destroyed || stream.writableFinished) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  gone.addEventListener('abort', () => resolve(), { once: true });
  stream.once('finish', resolve);
  if (!stream.writableEnded) stream.end();
  await promise;
}

export function clientGone(): StrakeError {
  return new StrakeError('Unavailable', 'the client closed the connection', { fields: { layer: 'engine' } });
}
