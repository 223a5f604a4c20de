import net from 'node:net';
import { StrakeError } from '../../base/index.ts';

/** Finds out within the time whether anybody listens there: an HTTP client would wait as long as the kernel tries. Unavailable when nobody does. */
export async function dial(url: URL, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const connected = Promise.withResolvers<void>();
  const socket = net.connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port });
  const timer = setTimeout(() => connected.reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  const abort = () => connected.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  socket.on('connect', connected.resolve).on('error', connected.reject);
  try {
    await connected.promise;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new StrakeError('Unavailable', `${url.host}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
      fields: { layer: 'distribution', url: url.href, errno: (cause as NodeJS.ErrnoException).code ?? 'ETIMEDOUT' },
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}
