import { expect, test } from 'bun:test';
import { duplexPair } from 'node:stream';
import { Http2ClientConnection } from './client-connection.ts';
import { FrameReader } from './frame-reader.ts';
import { clientPreface, encodeSettings, Flag, type Frame, FrameType, frameHeader, Setting, uint32 } from './frames.ts';
import type { Header } from './headers.ts';
import { encodeHeaders } from './hpack/encoder.ts';
import { Http2ServerConnection, type StreamHandler } from './server-connection.ts';

const request: readonly Header[] = [
  [':method', 'POST'],
  [':path', '/x'],
];

/** A client of bare frames. */
class RawClient {
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  readonly connection: Http2ServerConnection;
  readonly #socket: NodeJS.ReadWriteStream;
  readonly #reader = new FrameReader();
  #arrived = Promise.withResolvers<void>();

  constructor(handle: StreamHandler) {
    const [client, server] = duplexPair();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#socket = client;
    this.connection = new Http2ServerConnection({ socket: server, handle, onClose: resolve });
    client.on('data', (chunk: Buffer) => {
      this.frames.push(...this.#reader.push(chunk));
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    this.#socket.write(Buffer.concat([clientPreface, this.frame(FrameType.settings, 0, 0, Buffer.alloc(0))]));
  }

  frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
    return Buffer.concat([frameHeader(type, flags, streamId, payload.length), payload]);
  }

  send(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): void {
    this.#socket.write(this.frame(type, flags, streamId, payload));
  }

  open(streamId: number, end = true): void {
    this.send(FrameType.headers, Flag.endHeaders | (end ? Flag.endStream : 0), streamId, encodeHeaders(request));
  }

  raw(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  async until(holds: (frames: readonly Frame[]) => boolean): Promise<void> {
    while (!holds(this.frames)) await this.#arrived.promise;
  }

  dataOf(streamId: number): number {
    return this.frames.filter((frame) => frame.type === FrameType.data && frame.streamId === streamId).reduce((sum, { payload }) => sum + payload.length, 0);
  }

  /** The code of the GOAWAY that ends the connection. */
  async goaway(): Promise<number> {
    await this.until((frames) => frames.some(({ type }) => type === FrameType.goaway));
    await this.closed;
    return this.frames.find(({ type }) => type === FrameType.goaway)?.payload.readUInt32BE(4) ?? -1;
  }
}

const answer =
  (bytes: number): StreamHandler =>
  async (stream) => {
    stream.respond([[':status', '200']]);
    stream.send(Buffer.alloc(bytes));
    await stream.room(0);
    stream.end([['done', 'yes']]);
  };
const never: StreamHandler = async (stream) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream.signal.addEventListener('abort', () => resolve());
  await promise;
};

test('an answer takes no more than the windows allow, of the stream and of the connection', async () => {
  const client = new RawClient(answer(200_000));
  client.send(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 1000]]));
  client.open(1);
  await client.until(() => client.dataOf(1) === 1000);
  client.send(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 100_000]]));
  await client.until(() => client.dataOf(1) === 65_535);
  client.send(FrameType.windowUpdate, 0, 0, uint32(1_000_000));
  await client.until(() => client.dataOf(1) === 100_000);
  client.send(FrameType.windowUpdate, 0, 1, uint32(1_000_000));
  await client.until((frames) => frames.some(({ type, streamId, flags }) => type === FrameType.headers && streamId === 1 && (flags & Flag.endStream) !== 0));
  expect(client.dataOf(1)).toBe(200_000);
});

test('what is sent in one turn goes out in one frame', async () => {
  const client = new RawClient(async (stream) => {
    stream.respond([[':status', '200']]);
    for (const word of ['one', 'two', 'three']) stream.send(Buffer.from(word));
    await stream.room(0);
    stream.end();
  });
  client.open(1);
  await client.until((frames) => frames.some(({ type, flags }) => type === FrameType.data && (flags & Flag.endStream) !== 0));
  expect(client.frames.filter(({ type }) => type === FrameType.data).map(({ payload }) => payload.toString())).toEqual(['onetwothree', '']);
});

test('there is room again when the peer has taken enough; a stream that fails tells it who waits for room', async () => {
  const told: string[] = [];
  const client = new RawClient(async (stream) => {
    stream.respond([[':status', '200']]);
    stream.send(Buffer.alloc(3000));
    await stream.room(2000);
    told.push(`${stream.queuedBytes} wait`);
    await stream.room(0).catch((error: Error) => told.push(error.message));
  });
  client.send(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 1000]]));
  client.open(1);
  await client.until(() => client.dataOf(1) === 1000);
  client.send(FrameType.rstStream, 0, 1, uint32(8));
  client.connection.close();
  await client.closed;
  expect(told).toEqual(['2000 wait', 'the peer has cancelled the stream']);
});

test('streams take turns', async () => {
  const client = new RawClient(answer(1_000_000));
  client.send(FrameType.settings, 0, 0, encodeSettings([[Setting.initialWindowSize, 1_000_000]]));
  for (const id of [1, 3, 5]) client.open(id);
  client.send(FrameType.windowUpdate, 0, 0, uint32(600_000));
  await client.until(() => client.dataOf(1) + client.dataOf(3) + client.dataOf(5) === 665_535);
  for (const id of [1, 3, 5]) expect(client.dataOf(id)).toBeGreaterThan(200_000);
});

test('a reader that does not read holds back its own stream alone', async () => {
  const client = new RawClient(async (stream, headers) => {
    if (headers.some(([name]) => name === 'read')) for await (const _ of stream.body());
    else await never(stream, headers);
    stream.respond([[':status', '200']]);
    stream.end();
  });
  client.open(1, false);
  client.send(FrameType.headers, Flag.endHeaders, 3, encodeHeaders([...request, ['read', '1']]));
  const chunk = Buffer.alloc(16_384);
  // The window of a stream is 256 KiB.
  for (let at = 0; at < 16; at++) client.send(FrameType.data, 0, 1, chunk);
  for (let at = 0; at < 8; at++) client.send(FrameType.data, 0, 3, chunk);
  await client.until((frames) => frames.some(({ type, streamId }) => type === FrameType.windowUpdate && streamId === 3));
  expect(client.frames.some(({ type, streamId }) => type === FrameType.windowUpdate && streamId === 1)).toBe(false);
  client.send(FrameType.data, 0, 1, chunk);
  await client.until((frames) => frames.some(({ type, streamId, payload }) => type === FrameType.rstStream && streamId === 1 && payload.readUInt32BE() === 3));
  client.send(FrameType.data, Flag.endStream, 3, chunk);
  await client.until((frames) => frames.some(({ type, streamId }) => type === FrameType.headers && streamId === 3));
});

test('resets without end do not make room: handlers count until they are done', async () => {
  const ended = Promise.withResolvers<void>();
  let running = 0;
  const client = new RawClient(async () => {
    running += 1;
    await ended.promise;
  });
  for (let id = 1; id <= 2 * 1100; id += 2) {
    client.open(id);
    client.send(FrameType.rstStream, 0, id, uint32(8));
  }
  await client.until((frames) => frames.filter(({ type }) => type === FrameType.rstStream).length === 100);
  expect(running).toBe(1000);
  ended.resolve();
});

test('a ping is answered, and what is not known is ignored', async () => {
  const client = new RawClient(never);
  client.send(0x20, 0xff, 9, Buffer.alloc(5));
  client.send(FrameType.ping, 0, 0, Buffer.from('12345678'));
  await client.until((frames) => frames.some(({ type, flags, payload }) => type === FrameType.ping && flags === Flag.ack && payload.toString() === '12345678'));
});

test('a server that closes lets streams go on, and takes no new ones', async () => {
  const go = Promise.withResolvers<void>();
  const client = new RawClient(async (...args) => {
    await go.promise;
    await answer(10)(...args);
  });
  client.open(1);
  await client.until((frames) => frames.some(({ type, flags }) => type === FrameType.settings && flags === Flag.ack));
  client.connection.close();
  client.open(3);
  await client.until((frames) => frames.some(({ type }) => type === FrameType.goaway));
  go.resolve();
  await client.closed;
  expect([client.dataOf(1), client.dataOf(3)]).toEqual([10, 0]);
});

const headersFrame = (client: RawClient, flags = 0) => client.send(FrameType.headers, flags, 1, encodeHeaders(request));
test.each<[string, number, (client: RawClient) => void]>([
  ['a stream of the wrong side', 1, (client) => client.open(2)],
  ['data of a stream that was never opened', 1, (client) => client.send(FrameType.data, 0, 7, Buffer.alloc(1))],
  ['a frame that is too large', 6, (client) => client.send(FrameType.data, 0, 1, Buffer.alloc(16_385))],
  ['a ping that is too short', 6, (client) => client.send(FrameType.ping, 0, 0, Buffer.alloc(7))],
  ['settings of a stream', 1, (client) => client.send(FrameType.settings, 0, 1)],
  ['settings that are no list', 6, (client) => client.send(FrameType.settings, 0, 0, Buffer.alloc(5))],
  ['a window beyond what there is', 3, (client) => client.send(FrameType.windowUpdate, 0, 0, uint32(0x7fff_ffff))],
  ['a window that does not grow', 3, (client) => client.send(FrameType.windowUpdate, 0, 0, uint32(0))],
  ['a push', 1, (client) => client.send(FrameType.pushPromise, 0, 1, Buffer.alloc(4))],
  [
    'a frame inside headers',
    1,
    (client) => {
      headersFrame(client);
      client.send(FrameType.ping, 0, 0, Buffer.alloc(8));
    },
  ],
  ['a continuation of nothing', 1, (client) => client.send(FrameType.continuation, 0, 1)],
  [
    'headers without end',
    11,
    (client) => {
      headersFrame(client);
      for (let at = 0; at < 100; at++) client.send(FrameType.continuation, 0, 1);
    },
  ],
  [
    'large headers without end',
    11,
    (client) => {
      headersFrame(client);
      for (let at = 0; at < 10; at++) client.send(FrameType.continuation, 0, 1, Buffer.alloc(16_384));
    },
  ],
  ['headers that are not encoded', 9, (client) => client.send(FrameType.headers, Flag.endHeaders, 1, Buffer.from([0x80]))],
  ['more padding than frame', 1, (client) => client.send(FrameType.headers, Flag.endHeaders | Flag.padded, 1, Buffer.from([9, 0x82]))],
])('%s ends the connection', async (_, code, act) => {
  const client = new RawClient(never);
  act(client);
  expect(await client.goaway()).toBe(code);
});

test('both sides of our own: a request waits for its turn, and for a connection that is lost it fails', async () => {
  const [near, far] = duplexPair();
  let streams = 0;
  const waiting: (() => void)[] = [];
  const server = new Http2ServerConnection({
    socket: far,
    handle: async (stream) => {
      streams += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      stream.respond([[':status', '200']]);
      stream.end();
    },
    onClose: () => undefined,
  });
  const client = new Http2ClientConnection(near, () => undefined);
  const first = await client.request(request, undefined);
  first.end();
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  waiting.pop()?.();
  expect(await first.headers).toEqual([[':status', '200']]);
  const second = await client.request(request, undefined);
  server.abort(new Error('the machine is gone'));
  expect(await second.headers.catch((error: Error) => error.message)).toMatch(/closed|gone/);
  expect(client.isOpen).toBe(false);
  expect(streams).toBeGreaterThan(0);
});
