import type { Duplex } from 'node:stream';
import { errorMessage } from '../../base/index.ts';
import type { PortForwardRequest, StreamingBackend } from '../backend.ts';
import type { Channel } from '../channel.ts';
import { WebSocketChannels } from '../websocket/channels.ts';

export interface WebSocketForwardOptions {
  readonly idleMs: number;
  readonly isBase64: boolean;
}

/** Forwards one connection to each port of the request: channel 2n is its data, 2n + 1 its errors; both begin with the port, little endian. */
export async function forwardOverWebSocket(
  socket: Duplex,
  received: Buffer,
  { sandboxId, ports }: PortForwardRequest,
  backend: StreamingBackend,
  { idleMs, isBase64 }: WebSocketForwardOptions,
): Promise<void> {
  const count = ports.length * 2;
  const readable = ports.map((_, index) => index * 2);
  const connection = new WebSocketChannels({ socket, received, idleMs, isBase64, count, readable, hasCloseSignal: false });
  const { signal } = connection;
  const forward = async (port: number, index: number) => {
    const [data, error] = connection.channels.slice(index * 2) as [Channel, Channel];
    const name = Buffer.from([port & 0xff, port >> 8]);
    try {
      await data.write(name);
      await error.write(name);
      // The client cannot be told that the port has ended while the others go on; so nothing more of it is waited for.
      await backend.portForward(sandboxId, port, { input: data.input, write: data.write, end: () => data.ignoreInput(), signal });
    } catch (failure) {
      await error.write(Buffer.from(`error forwarding port ${port} to pod ${sandboxId}: ${errorMessage(failure)}`)).catch(() => undefined);
    }
    data.ignoreInput();
  };
  await Promise.all(ports.map(forward));
  connection.close();
}
