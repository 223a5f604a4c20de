import { randomBytes } from 'node:crypto';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { webSocketAccept } from './http/handshake.ts';
import { type Head, readHead } from './http/read-head.ts';
import { SpdyConnection } from './spdy/connection.ts';
import type { SpdyStream } from './spdy/stream.ts';
import { WebSocketConnection } from './websocket/connection.ts';
import { Opcode } from './websocket/frames.ts';

export interface Answer {
  readonly socket: Duplex;
  readonly head: Head;
  readonly status: number;
}

export async function ask(url: string, method: string, headers: Readonly<Record<string, string>>, ca?: string): Promise<Answer> {
  const { protocol, hostname, port, pathname } = new URL(url);
  const connected = Promise.withResolvers<void>();
  const socket =
    protocol === 'https:'
      ? tls.connect({ host: hostname, port: Number(port), ca }, connected.resolve)
      : net.connect({ host: hostname, port: Number(port) }, connected.resolve);
  socket.once('error', connected.reject);
  await connected.promise;
  const lines = Object.entries({ Host: hostname, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${method} ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const head = await readHead(socket, 10_000);
  return { socket, head, status: Number(head.start[1]) };
}

/** What a refused request was told. */
export async function refusal(answer: Answer): Promise<string> {
  const length = Number(answer.head.headers.get('content-length')?.[0]);
  let body = answer.head.rest;
  answer.socket.resume();
  for await (const chunk of body.length < length ? (answer.socket as AsyncIterable<Buffer>) : []) body = Buffer.concat([body, chunk]);
  answer.socket.destroy();
  return `${answer.status} ${body.toString().trim()}`;
}

export const spdyHeaders = (protocols: string) => ({ Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocols });

export interface SpdyClient {
  readonly protocol: string | undefined;
  readonly connection: SpdyConnection;
  readonly socket: Duplex;
  open(headers: Readonly<Record<string, string>>): Promise<SpdyStream>;
}

export async function dialSpdy(url: string, protocols: string, ca?: string): Promise<SpdyClient> {
  const answer = await ask(url, 'POST', spdyHeaders(protocols), ca);
  if (answer.status !== 101) throw new Error(await refusal(answer));
  return spdyClient(answer.socket, answer.head.rest, answer.head.headers.get('x-stream-protocol-version')?.[0]);
}

export function spdyClient(socket: Duplex, received: Buffer, protocol?: string): SpdyClient {
  const connection = new SpdyConnection({ socket, side: 'client', received, idleMs: 60_000, onStream: () => false });
  return {
    protocol,
    connection,
    socket,
    open: async (headers) => {
      const stream = connection.open(new Map(Object.entries(headers)));
      await stream.replied;
      return stream;
    },
  };
}

export async function upgradeWebSocket(url: string, protocols: string, ca?: string): Promise<Answer> {
  const key = randomBytes(16).toString('base64');
  const asked = protocols === '' ? {} : { 'Sec-WebSocket-Protocol': protocols };
  const headers = { Connection: 'keep-alive, Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': key, ...asked };
  const answer = await ask(url, 'GET', headers, ca);
  if (answer.status !== 101) throw new Error(await refusal(answer));
  if (answer.head.headers.get('sec-websocket-accept')?.[0] !== webSocketAccept(key)) throw new Error('another key was accepted');
  return answer;
}

/** A client of the protocols that number their channels. */
export class ChannelClient {
  readonly protocol: string | undefined;
  /** By channel, as text; a message that is empty counts as `announced`. */
  readonly received: string[] = [];
  readonly announced: number[] = [];
  readonly closed: Promise<void>;
  readonly connection: WebSocketConnection;
  readonly #isBase64: boolean;
  #parts: Buffer[] = [];
  #wake: (() => void) | undefined;

  constructor({ socket, head }: Answer) {
    this.protocol = head.headers.get('sec-websocket-protocol')?.[0];
    this.#isBase64 = this.protocol?.includes('base64') ?? false;
    const closed = Promise.withResolvers<void>();
    this.closed = closed.promise;
    this.connection = new WebSocketConnection({
      socket,
      side: 'client',
      received: head.rest,
      idleMs: 60_000,
      onPiece: ({ bytes, isLast }) => {
        this.#parts.push(bytes);
        if (isLast) this.#receive(Buffer.concat(this.#parts.splice(0)));
      },
      onLost: () => closed.resolve(),
    });
    this.connection.start();
  }

  async send(channel: number, data: string | Buffer): Promise<void> {
    const bytes = Buffer.from(data);
    if (this.#isBase64) await this.connection.write(Opcode.text, Buffer.from(`${channel}${bytes.toString('base64')}`));
    else await this.connection.write(Opcode.binary, Buffer.concat([Buffer.from([channel]), bytes]));
  }

  /** Waits until a channel has so much. */
  async until(channel: number, text: string): Promise<void> {
    while (this.received[channel] !== text) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  #receive(message: Buffer): void {
    const channel = this.#isBase64 ? Number(String.fromCharCode(message[0] ?? 0)) : (message[0] ?? 0);
    const data = this.#isBase64 ? Buffer.from(message.subarray(1).toString(), 'base64') : message.subarray(1);
    if (data.length === 0) this.announced.push(channel);
    this.received[channel] = (this.received[channel] ?? '') + data.toString('latin1');
    this.#wake?.();
  }
}

export async function textOf(input: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of input) parts.push(chunk);
  return Buffer.concat(parts).toString();
}
