import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { content, version } from '../../api/containerd/index.ts';
import { health, reflection, reflectionAlpha } from '../../api/grpc/index.ts';
import { keptObjects } from '../../base/fixtures-memory.ts';
import { StrakeError, silentLogger } from '../../base/index.ts';
import { connectGrpc, type GrpcConnection, type GrpcServer, grpcService, inNamespace, leaseOf, maxMessageBytes, requireNamespace, serveGrpc } from './index.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-grpc-'));
const socket = path.join(directory, 'grpc.sock');
let server: GrpcServer;
let connection: GrpcConnection;

const never = () => Promise.reject(new StrakeError('Unimplemented', 'not in this test'));

const ends = Promise.withResolvers<void>();
const contentService = grpcService(content.Content, {
  info: ({ digest }, call) => ({ info: { digest, size: 2n ** 60n, labels: { namespace: requireNamespace(call), lease: leaseOf(call) ?? '' } } }),
  update: async (_request, { signal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(signal.reason));
    return await promise;
  },
  async *list(_request, { signal }) {
    yield { info: [{ digest: 'first' }] };
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve());
    await promise;
    ends.resolve();
  },
  delete: ({ digest }) => {
    throw new StrakeError('NotFound', `content ${digest}`, { fields: { layer: 'core', remedy: 'pull it' } });
  },
  async *read({ size }) {
    const data = new Uint8Array(64 * 1024);
    for (let offset = 0n; offset < size; offset += BigInt(data.length)) {
      data.fill(Number(offset / BigInt(data.length)) % 251);
      yield { offset, data };
    }
    if (size < 0n) throw new StrakeError('OutOfRange', 'read of less than nothing');
  },
  status: ({ ref }) => ({ status: { ref: 'x'.repeat(Number(ref)) } }),
  listStatuses: never,
  async *write(requests) {
    let offset = 0n;
    for await (const { action, data } of requests) {
      offset += BigInt(data.length);
      yield { action, offset };
    }
  },
  abort: never,
});

beforeAll(async () => {
  server = await serveGrpc({ hosts: [{ kind: 'unix', path: socket, groupId: 0 }], services: [contentService], log: silentLogger });
  connection = connectGrpc({ kind: 'unix', path: socket });
});

afterAll(async () => {
  connection.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

test('the socket is of its group and nobody else', () => {
  expect(statSync(socket).mode & 0o777).toBe(0o660);
});

test('a call carries int64, labels, the namespace and the lease', async () => {
  const client = connection.with(inNamespace('k8s.io', 'l1')).client(content.Content);
  const { info } = await client.info({ digest: 'sha256:1' });
  expect([info?.digest, info?.size, info?.labels]).toEqual(['sha256:1', 2n ** 60n, { namespace: 'k8s.io', lease: 'l1' }]);
  const other = await client.info({ digest: 'sha256:1' }, { headers: { 'containerd-namespace': 'moby' } });
  expect(other.info?.labels['namespace']).toBe('moby');
});

test.each([
  [{}, 'FailedPrecondition', 'namespace is required'],
  [{ 'containerd-namespace': '../x' }, 'InvalidArgument', 'namespace validation: identifier "../x" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$'],
] as const)('a call with the headers %j is refused', async (headers, code, message) => {
  const call = connection.client(content.Content).info({}, { headers });
  expect(await failureOf(call)).toEqual({ code, message, fields: {} });
});

test('an error arrives with class, message and fields', async () => {
  expect(await failureOf(connection.client(content.Content).delete({ digest: 'sha256:1' }))).toEqual({
    code: 'NotFound',
    message: 'content sha256:1',
    fields: { layer: 'core', remedy: 'pull it' },
  });
});

test('a stream of 64 MiB arrives whole and in order', async () => {
  let offset = 0n;
  for await (const part of connection.client(content.Content).read({ size: 64n << 20n })) {
    expect(part.offset).toBe(offset);
    expect(part.data[0]).toBe(Number(offset / 65536n) % 251);
    offset += BigInt(part.data.length);
  }
  expect(offset).toBe(64n << 20n);
});

test('a stream fails with a StrakeError', async () => {
  const read = Array.fromAsync(connection.client(content.Content).read({ size: -1n }));
  expect(await failureOf(read)).toMatchObject({ code: 'OutOfRange', message: 'read of less than nothing' });
});

test('both sides of a stream take turns', async () => {
  const offsets: bigint[] = [];
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  async function* requests() {
    yield { action: content.WriteAction.WRITE, data: new Uint8Array(3) };
    await answered;
    yield { action: content.WriteAction.COMMIT, data: new Uint8Array(4) };
  }
  for await (const { offset } of connection.client(content.Content).write(requests())) {
    offsets.push(offset);
    resolve();
  }
  expect(offsets).toEqual([3n, 7n]);
});

test('a hundred streams at once', async () => {
  const client = connection.client(content.Content);
  const sizes = await Promise.all(
    Array.from({ length: 100 }, async () => {
      let size = 0;
      for await (const { data } of client.read({ size: 1n << 20n })) size += data.length;
      return size;
    }),
  );
  expect(sizes).toEqual(Array.from({ length: 100 }, () => 1 << 20));
});

test('a deadline ends the call on both sides', async () => {
  const call = connection.client(content.Content).update({}, { timeoutMs: 20 });
  expect(await failureOf(call)).toMatchObject({ code: 'DeadlineExceeded' });
});

test('a client that leaves ends the handler', async () => {
  const abort = new AbortController();
  const list = connection.client(content.Content).list({}, { signal: abort.signal })[Symbol.asyncIterator]();
  expect((await list.next()).value?.info[0]?.digest).toBe('first');
  const next = list.next();
  abort.abort(new StrakeError('Canceled', 'enough'));
  expect(await failureOf(next)).toMatchObject({ code: 'Canceled', message: 'enough' });
  await ends.promise;
});

test.each([
  ['as large as allowed', maxMessageBytes - 64, undefined],
  ['too large', maxMessageBytes, 'ResourceExhausted'],
] as const)('a message %s', async (_, size, code) => {
  const call = connection.client(content.Content).status({ ref: String(size) });
  if (code === undefined) expect((await call).status?.ref).toHaveLength(size);
  else expect(await failureOf(call)).toMatchObject({ code });
});

test('a service that is not served is Unimplemented', async () => {
  expect(await failureOf(connection.client(version.Version).version({}))).toMatchObject({ code: 'Unimplemented' });
});

test('health knows what is served', async () => {
  const client = connection.client(health.Health);
  const { SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;
  expect((await client.check({})).status).toBe(SERVING);
  expect((await client.check({ service: 'containerd.services.content.v1.Content' })).status).toBe(SERVING);
  expect(await failureOf(client.check({ service: 'x' }))).toMatchObject({ code: 'NotFound', message: 'unknown service x' });
  for await (const { status } of client.watch({ service: 'x' })) {
    expect(status).toBe(SERVICE_UNKNOWN);
    break;
  }
});

test.each([
  ['v1', reflection.ServerReflection],
  // Its messages are those of v1 but for the name of their package.
  ['v1alpha', reflectionAlpha.ServerReflection as unknown as typeof reflection.ServerReflection],
] as const)('reflection %s lists the services and gives their files with all imports', async (_, service) => {
  async function* questions() {
    yield { messageRequest: { case: 'listServices', value: '' } } as const;
    yield { messageRequest: { case: 'fileContainingSymbol', value: 'containerd.services.content.v1.Content.Read' } } as const;
    yield { messageRequest: { case: 'fileByFilename', value: 'no.proto' } } as const;
  }
  const answers = await Array.fromAsync(connection.client(service).serverReflectionInfo(questions()), ({ messageResponse }) => messageResponse);
  const [list, file, none] = answers;
  expect(list?.case === 'listServicesResponse' && list.value.service.map(({ name }) => name)).toEqual([
    'containerd.services.content.v1.Content',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]);
  const names = file?.case === 'fileDescriptorResponse' && file.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
  expect(names).toEqual([
    'containerd/services/content/v1/content.proto',
    'google/protobuf/empty.proto',
    'google/protobuf/field_mask.proto',
    'google/protobuf/timestamp.proto',
  ]);
  expect(none?.case === 'errorResponse' && none.value.errorMessage).toBe('no.proto not found');
});

test('what is not HTTP/2 ends that connection alone', async () => {
  const stranger = connectSocket(socket);
  stranger.on('error', () => undefined);
  stranger.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  stranger.resume();
  await new Promise<void>((resolve) => stranger.once('close', () => resolve()));
  expect((await connection.client(health.Health).check({})).status).toBe(health.HealthCheckResponse_ServingStatus.SERVING);
});

test('a call that meets a server on its way out is made again at the next one', async () => {
  const own = path.join(directory, 'next.sock');
  const serve = async () => await serveGrpc({ hosts: [{ kind: 'unix', path: own, groupId: 0 }], services: [], log: silentLogger });
  const client = connectGrpc({ kind: 'unix', path: own });
  let running = await serve();
  for (let round = 0; round < 3; round++) {
    await client.client(health.Health).check({});
    await running.close();
    running = await serve();
  }
  expect((await client.client(health.Health).check({})).status).toBe(health.HealthCheckResponse_ServingStatus.SERVING);
  client.close();
  await running.close();
});

test('a server that is gone is Unavailable, and its socket with it', async () => {
  const own = path.join(directory, 'own.sock');
  const other = await serveGrpc({ hosts: [{ kind: 'unix', path: own, groupId: 0 }], services: [], log: silentLogger });
  const client = connectGrpc({ kind: 'unix', path: own });
  await client.client(health.Health).check({});
  await other.close();
  expect(existsSync(own)).toBe(false);
  expect(await failureOf(client.client(health.Health).check({}))).toMatchObject({ code: 'Unavailable' });
  client.close();
});

async function failureOf(call: Promise<unknown>): Promise<{ code: string; message: string; fields: object }> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof StrakeError)) throw error;
    return { code: error.code, message: error.message, fields: error.fields };
  }
  throw new Error('the call did not fail');
}

test('a connection outlives thousands of calls that are given up once they brought what was wanted', async () => {
  const { read } = connection.client(content.Content);
  for (let call = 0; call < 1500; call++)
    for await (const { data } of read({ size: 1n << 20n })) {
      expect(data.length).toBe(64 * 1024);
      break;
    }
});

test('a call leaves nothing in memory', async () => {
  const { info } = connection.client(content.Content);
  expect(
    await keptObjects(500, async () => await info({ digest: 'sha256:1' }, { headers: { 'containerd-namespace': 'k8s.io' }, timeoutMs: 60_000 })),
  ).toBeLessThan(2);
});
