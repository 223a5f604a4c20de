import { expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import type { DescMethod, DescMethodClientStreaming, DescService } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { content, shimTask } from '../../api/containerd/index.ts';
import { RequestSchema, ResponseSchema } from '../../api/ttrpc/index.ts';
import { StrakeError } from '../../base/index.ts';
import { openTestWire } from './fixtures.ts';
import { encodeFrame, type Frame, FrameParser, frameFlags, maxMessageBytes, messageTypes } from './frames.ts';
import { createTtrpcClient, type ServiceImplementation, servedService, TtrpcConnection, TtrpcServer } from './index.ts';

const { Task } = shimTask;
const { Content } = content;

async function rejection(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'fulfilled',
    (error: StrakeError) => `${error.code}: ${error.message}`,
  );
}

/** An answer once `signal` is aborted, with its reason. */
async function never(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await promise;
}

test('a call: request, answer, metadata and deadline; many at once, answered in any order', async () => {
  const release = new Map<string, () => void>();
  using wire = await openTestWire(Task, {
    state: async ({ id }, { requestHeader, timeoutMs }) => {
      const remaining = timeoutMs();
      return { id, bundle: requestHeader.get('containerd-namespace-ttrpc') ?? '', pid: remaining === undefined ? 0 : Math.ceil(remaining / 60_000) };
    },
    connect: async ({ id }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      release.set(id, resolve);
      await promise;
      return { version: id };
    },
  });
  expect(await wire.client.state({ id: 'a' })).toMatchObject({ id: 'a', bundle: '', pid: 0 });
  expect(await wire.client.state({ id: 'a' }, { headers: { 'Containerd-Namespace-TTRPC': 'moby' }, timeoutMs: 600_000 })).toMatchObject({
    bundle: 'moby',
    pid: 10,
  });
  const names = Array.from({ length: 200 }, (_, index) => `call ${index}`);
  const answers = names.map((id) => wire.client.connect({ id }));
  // A call that is answered after all of them were received.
  await wire.client.state({ id: 'barrier' });
  for (const id of names.toReversed()) release.get(id)?.();
  expect((await Promise.all(answers)).map(({ version }) => version)).toEqual(names);
});

test('errors keep their class, and their text ends as containerd’s do', async () => {
  using wire = await openTestWire(Task, {
    state: async ({ id }) => {
      throw id === 'plain' ? new Error('it broke') : new StrakeError('NotFound', `no task ${id}`);
    },
    connect: () => {
      throw new StrakeError('FailedPrecondition', 'at once');
    },
    pids: async () => ({ processes: [{ pid: 'x' as unknown as number }] }),
  });
  expect(await rejection(wire.client.state({ id: 'x' }))).toBe('NotFound: no task x');
  expect(await rejection(wire.client.state({ id: 'plain' }))).toBe('Internal: it broke');
  expect(await rejection(wire.client.connect({}))).toBe('FailedPrecondition: at once');
  expect(await rejection(wire.client.pids({}))).toStartWith('Internal: ');
  expect(await rejection(wire.client.kill({}))).toBe('Unimplemented: method Kill of containerd.task.v3.Task is not implemented');
  expect(await rejection(createTtrpcClient(Content, wire.connection).info({}))).toBe(
    'Unimplemented: service containerd.services.content.v1.Content is not served',
  );
});

test('a deadline ends the call on both sides; so does the caller’s abort on its own, and the end of the connection on the server’s', async () => {
  const started = new Map<string, () => void>();
  const ended = new Map<string, (reason: unknown) => void>();
  const call = (id: string) => {
    const start = Promise.withResolvers<void>();
    const end = Promise.withResolvers<unknown>();
    started.set(id, start.resolve);
    ended.set(id, end.resolve);
    return { id, started: start.promise, ended: end.promise };
  };
  using wire = await openTestWire(Task, {
    wait: async ({ id }, { signal }) => {
      started.get(id)?.();
      signal.addEventListener('abort', () => ended.get(id)?.((signal.reason as StrakeError).code), { once: true });
      return await never(signal);
    },
  });
  const late = call('late');
  expect(await rejection(wire.client.wait({ id: late.id }, { timeoutMs: 20 }))).toStartWith('DeadlineExceeded: ');
  expect(await late.ended).toBe('DeadlineExceeded');
  const given = call('given');
  const abort = new AbortController();
  const waiting = rejection(wire.client.wait({ id: given.id }, { signal: abort.signal }));
  await given.started;
  abort.abort(new StrakeError('Canceled', 'given up'));
  expect(await waiting).toBe('Canceled: given up');
  expect(await rejection(wire.client.wait({}, { signal: abort.signal }))).toBe('Canceled: given up');
  wire.connection.close();
  expect(await given.ended).toBe('Unavailable');
});

test('the end of a connection fails its calls, and the next ones', async () => {
  using wire = await openTestWire(Task, { wait: async (_request, { signal }) => await never(signal) });
  const call = rejection(wire.client.wait({}));
  await wire.client.wait({}, { timeoutMs: 1 }).catch(() => undefined);
  wire.server.close();
  expect(await call).toBe('Unavailable: the ttrpc connection is closed');
  await wire.connection.ended;
  expect(wire.connection.isOpen).toBe(false);
  expect(await rejection(wire.client.wait({}))).toBe('Unavailable: the ttrpc connection is closed');
  expect(await rejection(TtrpcConnection.open(wire.path))).toStartWith(`Unavailable: cannot connect to ${wire.path}: `);
});

test('a shutdown waits for what is under way', async () => {
  const answer = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  using wire = await openTestWire(Task, {
    connect: async () => {
      started.resolve();
      await answer.promise;
      return { version: 'done' };
    },
  });
  const call = wire.client.connect({});
  await started.promise;
  const shutdown = wire.server.shutdown();
  answer.resolve();
  expect((await call).version).toBe('done');
  await shutdown;
});

test('only the owner may use the socket', async () => {
  using wire = await openTestWire(Task, {});
  expect((statSync(wire.path).mode & 0o777).toString(8)).toBe('600');
});

test('messages that are too long fail their call alone', async () => {
  using wire = await openTestWire(Task, { state: async ({ id }) => ({ id: id === '' ? 'x'.repeat(maxMessageBytes) : id }) });
  expect(await rejection(wire.client.state({}))).toMatch(/^ResourceExhausted: message of 41943\d\d bytes is longer than 4194304$/);
  expect(await rejection(wire.client.state({ id: 'x'.repeat(maxMessageBytes) }))).toMatch(
    /^ResourceExhausted: message of 41943\d\d bytes is longer than 4194304$/,
  );
  const half = 'x'.repeat(maxMessageBytes / 2);
  expect((await wire.client.state({ id: half })).id === half).toBe(true);
});

test('a server’s stream: its messages, its error after them, and its caller’s leaving', async () => {
  let left = Promise.withResolvers<void>();
  using wire = await openTestWire(Content, {
    read: async function* ({ digest, size }) {
      try {
        for (let offset = 0n; offset < size; offset++) yield { offset, data: Buffer.from(digest) };
        if (digest === 'damaged') throw new StrakeError('DataLoss', 'damaged');
      } finally {
        left.resolve();
      }
    },
  });
  const offsets = async (digest: string, size: bigint) => {
    const seen: bigint[] = [];
    try {
      for await (const { offset } of wire.client.read({ digest, size })) seen.push(offset);
    } catch (error) {
      return [...seen, (error as Error).message];
    }
    return seen;
  };
  expect(await offsets('whole', 3n)).toEqual([0n, 1n, 2n]);
  expect(await offsets('none', 0n)).toEqual([]);
  expect(await offsets('damaged', 2n)).toEqual([0n, 1n, 'damaged']);
  left = Promise.withResolvers();
  for await (const { offset } of wire.client.read({ digest: 'x', size: 2000n })) if (offset === 5n) break;
  // ttrpc has no word for leaving: the stream goes to its end, unread.
  await left.promise;
  expect(await offsets('whole', 2n)).toEqual([0n, 1n]);
});

test('both stream: each side ends on its own', async () => {
  using wire = await openTestWire(Content, {
    write: async function* (requests) {
      let offset = 0n;
      for await (const { data } of requests) {
        offset += BigInt(data.length);
        yield { offset };
      }
      yield { offset, digest: 'end' };
    },
  });
  const sizes = [1, 0, 100_000];
  const requests = async function* () {
    for (const size of sizes) yield { data: new Uint8Array(size) };
  };
  const answers: unknown[] = [];
  for await (const { offset, digest } of wire.client.write(requests())) answers.push([offset, digest]);
  expect(answers).toEqual([
    [1n, ''],
    [1n, ''],
    [100_001n, ''],
    [100_001n, 'end'],
  ]);
});

test('a client’s stream has one answer, which may come before its end', async () => {
  const info = { ...Content.method.info, methodKind: 'client_streaming' } as unknown as DescMethod &
    DescMethodClientStreaming<typeof content.InfoRequestSchema, typeof content.InfoResponseSchema>;
  const service = { ...Content, methods: [info], method: { info } } as unknown as Omit<DescService, 'method'> & { method: { info: typeof info } };
  using wire = await openTestWire(service, {
    info: async (requests) => {
      const digests: string[] = [];
      for await (const { digest } of requests) {
        digests.push(digest);
        if (digest === 'enough') break;
      }
      return { info: { digest: digests.join(' ') } };
    },
  });
  const requests = async function* (digests: readonly string[], signal?: AbortSignal) {
    for (const digest of digests) yield { digest };
    if (signal !== undefined) await never(signal);
  };
  expect((await wire.client.info(requests(['a', 'b']))).info?.digest).toBe('a b');
  const endless = new AbortController();
  expect((await wire.client.info(requests(['a', 'enough'], endless.signal))).info?.digest).toBe('a enough');
  endless.abort();
});

test('a stream that is not read holds back, then is given up; the others go on', async () => {
  using wire = await openTestWire(Content, {
    read: async function* ({ size }) {
      const data = new Uint8Array(64 << 10);
      for (let offset = 0n; offset < size; offset++) yield { offset, data };
    },
  });
  const stalled = wire.client.read({ size: 2_000n })[Symbol.asyncIterator]();
  expect((await stalled.next()).value?.offset).toBe(0n);
  let read = 0;
  for await (const { data } of wire.client.read({ size: 200n })) read += data.length;
  expect(read).toBe(200 * (64 << 10));
  const drain = async () => {
    for (let next = await stalled.next(); next.done !== true; next = await stalled.next());
  };
  expect(await rejection(drain())).toBe('ResourceExhausted: a stream was not read for 1000 ms');
});

/** What a server answers to frames that are sent as they are. */
class RawClient implements Disposable {
  private readonly socket: Socket;
  private readonly frames: Frame[] = [];
  private wake: () => void = () => {};

  constructor(path: string) {
    this.socket = connect({ path });
    const parser = new FrameParser();
    this.socket.on('data', (chunk: Buffer) => {
      for (const frame of parser.push(chunk)) if (frame.kind === 'frame') this.frames.push(frame);
      this.wake();
    });
  }

  send(...frames: readonly (Buffer | Parameters<typeof encodeFrame>[0])[]): void {
    for (const frame of frames) this.socket.write(Buffer.isBuffer(frame) ? frame : encodeFrame(frame));
  }

  /** The next answer: "STREAM TYPE/FLAGS CODE MESSAGE" */
  async next(): Promise<string> {
    for (;;) {
      const frame = this.frames.shift();
      if (frame !== undefined) {
        const { streamId, type, flags, payload } = frame;
        const status = type === messageTypes.response ? fromBinary(ResponseSchema, payload).status : undefined;
        return `${streamId} ${type}/${flags} ${status?.code ?? 0} ${status?.message ?? ''}`.trimEnd();
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

test('frames that no client should send are refused one by one, and the connection goes on', async () => {
  const implementation: Partial<ServiceImplementation<typeof Task>> = { connect: async () => ({}), wait: async (_request, { signal }) => await never(signal) };
  using wire = await openTestWire(Task, implementation);
  using client = new RawClient(wire.path);
  const call = (streamId: number, method: string, payload: Uint8Array = new Uint8Array(), extra: object = {}) => ({
    streamId,
    type: messageTypes.request,
    flags: 0,
    payload: toBinary(RequestSchema, create(RequestSchema, { service: Task.typeName, method, payload, ...extra })),
  });
  const nothing = new Uint8Array();
  const table: readonly [frame: Buffer | Parameters<typeof encodeFrame>[0], answer: string][] = [
    [call(5, 'Connect'), '5 2/0 0'],
    [call(5, 'Connect'), '5 2/0 3 stream 5: the numbers of streams ascend: invalid argument'],
    [call(3, 'Connect'), '3 2/0 3 stream 3: the numbers of streams ascend: invalid argument'],
    [call(8, 'Connect'), '8 2/0 3 stream 8: a client’s streams have odd numbers: invalid argument'],
    [{ ...call(9, 'Connect'), payload: Buffer.from([0xff]) }, '9 2/0 3 not a ttrpc.Request: premature EOF: invalid argument'],
    [call(11, 'Connect', Buffer.from([0xff])), '11 2/0 3 not a containerd.task.v3.ConnectRequest: premature EOF: invalid argument'],
    [call(13, 'Nothing'), '13 2/0 12 service containerd.task.v3.Task has no method Nothing: not implemented'],
    [call(15, 'Connect', nothing, { metadata: [{ key: 'a b', value: '' }] }), '15 2/0 3 metadata "a b" is not a header: invalid argument'],
    [call(17, 'Connect', nothing, { timeoutNano: -1n }), '17 2/0 4 the deadline of the call has passed: context deadline exceeded'],
    [{ streamId: 1, type: messageTypes.data, flags: 0, payload: nothing }, '1 2/0 3 stream 1 is not open: invalid argument'],
    [
      Buffer.concat([Buffer.from('00400001000000130100', 'hex'), Buffer.alloc(maxMessageBytes + 1)]),
      '19 2/0 8 message of 4194305 bytes is longer than 4194304: resource exhausted',
    ],
  ];
  for (const [frame, answer] of table) {
    client.send(frame);
    expect(await client.next()).toBe(answer);
  }
  // To one call a second message: it ends that call, and no other answer follows.
  client.send(call(21, 'Wait'), { streamId: 21, type: messageTypes.data, flags: frameFlags.remoteClosed, payload: nothing });
  expect(await client.next()).toBe('21 2/0 3 stream 21 takes no more messages: invalid argument');
  // Types that are not known yet are passed over.
  client.send({ streamId: 23, type: 77, flags: 255, payload: nothing }, call(25, 'Connect'));
  expect(await client.next()).toBe('25 2/0 0');
});

test('a connection that is handed over is served as one that was accepted', async () => {
  using wire = await openTestWire(Task, {});
  const other = new TtrpcServer({
    services: [servedService(Task, { connect: async () => ({ version: 'other' }) } as unknown as ServiceImplementation<typeof Task>)],
  });
  const listener = createServer((socket) => other.serve(socket));
  const { promise, resolve } = Promise.withResolvers<void>();
  listener.listen(`${wire.path}.other`, resolve);
  await promise;
  using connection = await TtrpcConnection.open(`${wire.path}.other`);
  expect((await createTtrpcClient(Task, connection).connect({})).version).toBe('other');
  connection.close();
  await other.shutdown();
  listener.close();
});
