import type { Duplex } from 'node:stream';
import { errorMessage, StrakeError } from '../../base/index.ts';
import type { StreamingBackend } from '../backend.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import { type ForwardedConnection, StreamPairs } from './pairs.ts';

export interface PortForwardOptions {
  readonly idleMs: number;
  /** For the client to open the second stream of a pair. */
  readonly creationMs: number;
}

/** Forwards connections, as many as the client opens pairs of streams, until it closes. */
export async function forwardOverSpdy(
  socket: Duplex,
  received: Buffer,
  sandboxId: string,
  backend: StreamingBackend,
  { idleMs, creationMs }: PortForwardOptions,
): Promise<void> {
  const pairs = new StreamPairs(creationMs);
  const closed = Promise.withResolvers<void>();
  const connection = new SpdyConnection({
    socket,
    side: 'server',
    received,
    idleMs,
    onStream: (stream) => {
      const found = pairs.add(stream);
      // Not before the client has its reply: what comes earlier it drops.
      if (typeof found === 'object') queueMicrotask(() => void forward(found, sandboxId, backend, connection.signal));
      return found !== 'refused';
    },
  });
  connection.signal.addEventListener('abort', () => closed.resolve(), { once: true });
  await closed.promise;
  pairs.close();
}

async function forward({ data, error, port }: ForwardedConnection, sandboxId: string, backend: StreamingBackend, signal: AbortSignal): Promise<void> {
  error.ignoreInput();
  try {
    await backend.portForward(sandboxId, port, { input: data.input, write: async (bytes) => await data.write(bytes), end: () => data.end(), signal });
  } catch (failure) {
    await error.write(Buffer.from(failureText(sandboxId, port, failure))).catch(() => undefined);
  }
  data.end();
  error.end();
  data.ignoreInput();
}

const brokenByPod: readonly unknown[] = ['EPIPE', 'ECONNRESET'];

/** A connection that the pod has broken is its own affair; after anything else the client shall close all. */
function failureText(sandboxId: string, port: number, failure: unknown): string {
  const message = `error forwarding port ${port} to pod ${sandboxId}: ${errorMessage(failure)}`;
  const isBroken = failure instanceof StrakeError && brokenByPod.includes(failure.fields.errno);
  return `${JSON.stringify(isBroken ? { message } : { closeConnection: true, message })}\n`;
}
