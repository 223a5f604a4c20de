/**
 * Attach and exec streams: an HTTP request whose connection becomes a raw byte stream (Engine API, "Stream format").
 * Under Bun on Bun.connect: loading node:net costs a command 6 ms; under Node on node:net.
 */
import { StrakeError } from '../base/index.ts';
import type { Endpoint } from './endpoint.ts';
import { unreachable } from './request.ts';

const maxHeadBytes = 64 << 10;

/** A duplex byte stream after the upgrade. */
export interface HijackedStream {
  /** Media type of the answer: raw (terminal) or multiplexed. */
  readonly contentType: string;
  readonly output: AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  /** Half-close: the engine sees EOF on stdin, output goes on. */
  end(): void;
  close(): void;
}

/** What both socket libraries offer here. */
interface RawSocket {
  write(data: Uint8Array): Promise<void>;
  end(): void;
  close(): void;
}

/** Incoming bytes as a queue; the reader's pace holds the socket back through `pause` and `resume`. */
class Incoming implements AsyncIterable<Uint8Array> {
  private chunks: Uint8Array[] = [];
  private ended = false;
  private failure: unknown;
  private wake: (() => void) | undefined;

  push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.wake?.();
  }

  finish(failure?: unknown): void {
    this.ended = true;
    this.failure ??= failure;
    this.wake?.();
  }

  unshift(chunk: Uint8Array): void {
    if (chunk.length > 0) this.chunks.unshift(chunk);
  }

  async next(): Promise<Uint8Array | undefined> {
    while (this.chunks.length === 0 && !this.ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
    const chunk = this.chunks.shift();
    if (chunk === undefined && this.failure !== undefined) throw this.failure;
    return chunk;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }
}

/** POSTs `path` and takes over the connection. An error answer of the engine is thrown by `fail(status, body)`. */
export async function hijack(endpoint: Endpoint, path: string, body: string, fail: (status: number, body: string) => Error): Promise<HijackedStream> {
  const incoming = new Incoming();
  let socket: RawSocket;
  try {
    socket = await (typeof Bun === 'undefined' ? connectNode(endpoint, incoming) : connectBun(endpoint, incoming));
  } catch (error) {
    throw unreachable(endpoint, error);
  }
  const head = `POST ${path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  await socket.write(Buffer.from(head));
  const answer = await readHead(incoming);
  if (answer.status !== 101 && answer.status !== 200) {
    socket.end();
    const rest: Uint8Array[] = [];
    for (let size = 0; size < answer.contentLength; ) {
      const chunk = await incoming.next();
      if (chunk === undefined) break;
      rest.push(chunk);
      size += chunk.length;
    }
    socket.close();
    throw fail(answer.status, Buffer.concat(rest).toString());
  }
  return { contentType: answer.contentType, output: incoming, write: (data) => socket.write(data), end: () => socket.end(), close: () => socket.close() };
}

async function readHead(incoming: Incoming): Promise<{ status: number; contentType: string; contentLength: number }> {
  let head = Buffer.alloc(0);
  for (;;) {
    const end = head.indexOf('\r\n\r\n');
    if (end >= 0) {
      incoming.unshift(head.subarray(end + 4));
      const lines = head.subarray(0, end).toString('latin1').split('\r\n');
      const header = (name: string) =>
        lines
          .find((line) => line.toLowerCase().startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim() ?? '';
      return { status: Number(lines[0]?.split(' ')[1]), contentType: header('content-type'), contentLength: Number(header('content-length')) };
    }
    const chunk = await incoming.next();
    if (chunk === undefined || head.length > maxHeadBytes)
      throw new StrakeError('Unavailable', 'the engine closed the connection before it answered', { fields: { layer: 'docker-client' } });
    head = Buffer.concat([head, chunk]);
  }
}

async function connectBun(endpoint: Endpoint, incoming: Incoming): Promise<RawSocket> {
  let drained: (() => void) | undefined;
  let closed = false;
  const socket = await Bun.connect({
    ...(endpoint.kind === 'unix' ? { unix: endpoint.path } : { hostname: endpoint.host, port: endpoint.port }),
    allowHalfOpen: true,
    socket: {
      binaryType: 'buffer',
      data: (_socket: unknown, data: Buffer) => incoming.push(data),
      drain: () => drained?.(),
      end: () => incoming.finish(),
      close: () => {
        closed = true;
        drained?.();
        incoming.finish();
      },
      error: (_socket: unknown, error: Error) => incoming.finish(error),
    },
  } as unknown as Parameters<typeof Bun.connect>[0]);
  return {
    async write(data) {
      for (let sent = socket.write(data); sent < data.length && !closed; ) {
        const { promise, resolve } = Promise.withResolvers<void>();
        drained = resolve;
        await promise;
        drained = undefined;
        if (!closed) sent += Math.max(0, socket.write(data.subarray(sent)));
      }
    },
    end: () => void socket.shutdown(),
    close: () => void socket.terminate(),
  };
}

async function connectNode(endpoint: Endpoint, incoming: Incoming): Promise<RawSocket> {
  const { connect } = await import('node:net');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const options = endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
  const socket = connect({ ...options, allowHalfOpen: true }, resolve);
  socket.once('error', reject);
  socket.on('data', (chunk: Buffer) => incoming.push(chunk));
  socket.on('end', () => incoming.finish());
  socket.on('close', () => incoming.finish());
  await promise;
  socket.on('error', (error) => incoming.finish(error));
  return {
    async write(data) {
      if (socket.write(data) || socket.destroyed) return;
      const drain = Promise.withResolvers<void>();
      socket.once('drain', drain.resolve);
      socket.once('close', drain.resolve);
      await drain.promise;
    },
    end: () => void socket.end(),
    close: () => void socket.destroy(),
  };
}
