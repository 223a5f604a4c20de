import net from 'node:net';

/** Resolves once somebody accepts a connection there; rejects when nobody does, and with the signal's reason. */
export async function tcpConnect(host: string, port: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = net.connect({ host, port });
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.once('connect', resolve);
  socket.once('error', reject);
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}
