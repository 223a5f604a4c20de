import type { Duplex } from 'node:stream';
import type { StreamChoice } from '../backend.ts';
import { upgradeToSpdy } from '../http/handshake.ts';
import type { Head } from '../http/read-head.ts';
import { protocolError } from '../protocol-error.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { connectionLost } from '../wire.ts';
import type { CommandClient, ConnectOptions } from './client.ts';

/** Version 2 mends errors of the first, 3 has sizes of the terminal, 4 a status with the exit code, 5 is the same here. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];
const withStatus = protocols.slice(0, 2);
const withResize = protocols.slice(0, 3);

type StreamName = 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize';

/** Upgrades, and waits until the client has opened the streams that its request spoke of: it tells what each is by a header. */
export async function connectSpdyClient(socket: Duplex, head: Head, choice: StreamChoice, options: ConnectOptions): Promise<CommandClient> {
  const protocol = upgradeToSpdy(socket, head, protocols);
  const missing = new Set(expectedStreams(choice, withResize.includes(protocol)));
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const connection = new SpdyConnection({
    socket,
    side: 'server',
    received: head.rest,
    idleMs: options.idleMs,
    onStream: (stream) => {
      const name = stream.headers.get('streamtype') ?? '';
      if (!missing.delete(name as StreamName)) return false;
      streams.set(name, stream);
      if (missing.size === 0) complete.resolve();
      return true;
    },
  });
  connection.signal.addEventListener('abort', () => complete.reject(connectionLost('the client left before it had opened its streams')), { once: true });
  const timer = setTimeout(() => complete.reject(protocolError('the client did not open its streams in time')), options.creationMs);
  try {
    await complete.promise;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const error = streams.get('error') as SpdyStream;
  for (const name of ['stdout', 'stderr', 'error']) streams.get(name)?.ignoreInput();
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: streams.get('resize'),
    error,
    statusFormat: withStatus.includes(protocol) ? 'json' : 'text',
    signal: connection.signal,
    close: () => connection.close(),
  };
}

function expectedStreams({ stdin, stdout, stderr, terminal }: StreamChoice, canResize: boolean): readonly StreamName[] {
  const asked = { stdin, stdout, stderr, error: true, resize: terminal && canResize };
  return (Object.keys(asked) as StreamName[]).filter((name) => asked[name]);
}
