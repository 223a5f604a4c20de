import type { PortStream } from '../backend.ts';

/** A connection to a port. */
export interface PortConnection {
  /** To its end; throws when the connection breaks. */
  output(): AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  /** Half-closes. */
  end(): Promise<void>;
  close(): void;
}

/** Carries a connection between its client and its port until both directions have ended, the port has broken it, or the client is gone. */
export async function carryPort(stream: PortStream, port: PortConnection): Promise<void> {
  const close = () => port.close();
  stream.signal.addEventListener('abort', close, { once: true });
  try {
    if (stream.signal.aborted) return;
    const toPort = writeInput(stream, port);
    for await (const data of port.output()) await stream.write(data);
    stream.end();
    await toPort;
  } finally {
    stream.signal.removeEventListener('abort', close);
    port.close();
  }
}

/** A port that does not take any more says so by its output. */
async function writeInput(stream: PortStream, port: PortConnection): Promise<void> {
  try {
    for await (const data of stream.input) await port.write(data);
    await port.end();
  } catch {
    // The connection is over.
  }
}
