import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { StrakeError, silentLogger } from '../../base/index.ts';
import {
  type ApiServer,
  get,
  type HijackedConnection,
  head,
  hijack,
  hijacked,
  json,
  lines,
  multiplexedStream,
  notModified,
  post,
  readJson,
  startApiServer,
  text,
} from './index.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-server-'));
chmodSync(directory, 0o755);
const socketPath = path.join(directory, 'api.sock');
const left = Promise.withResolvers<void>();
let hijackedConnections: { resolve: (connection: HijackedConnection) => void } | undefined;

async function* endless() {
  try {
    for (let n = 1; ; n++) {
      yield { n };
      if (n === 2) await new Promise(() => {});
    }
  } finally {
    left.resolve();
  }
}

async function* failing(after: number) {
  for (let n = 0; n < after; n++) yield { n };
  throw new StrakeError('NotFound', 'no such thing');
}

const routes = [
  head('/_ping', () => text('')),
  get('/_ping', () => text('OK')),
  get('/images/{name:path}/json', ({ params }) => json(params)),
  get('/things/{id}', ({ params, apiVersion, query }) =>
    json({ ...params, version: apiVersion.text, all: query.bool('all'), labels: query.filters().get('label') }),
  ),
  post('/echo', async (request) => json((await readJson(request)) ?? null, 201)),
  post('/same', () => notModified),
  get('/conflict', () => Promise.reject(new StrakeError('FailedPrecondition', 'in use'))),
  get('/broken', () => Promise.reject(new Error('boom'))),
  get('/endless', ({ signal }) => {
    signal.addEventListener('abort', () => left.resolve());
    return lines(endless(), { headFirst: true });
  }),
  get('/fails-at-once', () => lines(failing(0), { errorLine: () => ({ error: 'x' }) })),
  get('/fails-later', () => lines(failing(1), { errorLine: (error) => ({ error: (error as Error).message }) })),
  post('/cat', async (request) => {
    const options = await readJson(request);
    const connection = await hijack(request, { contentType: multiplexedStream });
    await connection.write(Buffer.from(JSON.stringify(options ?? null)));
    for await (const chunk of connection.input) await connection.write(chunk);
    await connection.write(Buffer.from('|after-eof'));
    await connection.end();
    return hijacked;
  }),
  post('/take', async (request) => {
    hijackedConnections?.resolve(await hijack(request, { contentType: multiplexedStream }));
    return hijacked;
  }),
];

let server: ApiServer;
const clients: Socket[] = [];

beforeAll(async () => {
  server = await startApiServer({ routes, hosts: [{ kind: 'unix', path: socketPath, groupId: 0 }], productVersion: '9.9.9', log: silentLogger });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(async () => {
  await server.close(0);
  expect(existsSync(socketPath)).toBe(false);
  rmSync(directory, { recursive: true });
});

async function call(method: string, url: string, body?: string, contentType = 'application/json') {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({ socketPath, method, path: url, headers: body === undefined ? {} : { 'Content-Type': contentType } }, resolve);
  request.on('error', reject);
  request.end(body);
  const response = await promise;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

/** A raw client: what is received can be awaited. */
async function rawClient(head: string) {
  const socket = connect({ path: socketPath, allowHalfOpen: true });
  clients.push(socket);
  let received = '';
  let wake = () => {};
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    wake();
  });
  const ended = new Promise<void>((resolve) => socket.on('end', resolve));
  socket.write(head);
  const until = async (wanted: string) => {
    while (!received.includes(wanted)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { socket, until, ended, received: () => received };
}

const upgradeHead = (url: string, body = '') =>
  `POST ${url} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

test.each([
  ['GET', '/_ping', 200, 'OK'],
  ['HEAD', '/_ping', 200, ''],
  ['GET', '/v1.51/_ping', 200, 'OK'],
  ['GET', '/v1.24/_ping', 200, 'OK'],
  ['GET', '/v1.52/_ping', 400, '{"message":"client version 1.52 is too new. Maximum supported API version is 1.51"}\n'],
  ['GET', '/v1.23/_ping', 400, 'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n'],
  ['GET', '/nothing', 404, '{"message":"page not found"}\n'],
  ['PUT', '/_ping', 404, '{"message":"page not found"}\n'],
  ['GET', '/v1.41/images/docker.io%2Flibrary/busybox:1/json', 200, '{"name":"docker.io/library/busybox:1"}\n'],
  ['GET', '/things/a%20b?all=True&filters=%7B%22label%22%3A%7B%22x%3D1%22%3Atrue%7D%7D', 200, '{"id":"a b","version":"1.51","all":true,"labels":["x=1"]}\n'],
  ['GET', '/v1.30/things/a?all=none&filters=%7B%22label%22%3A%5B%22y%22%5D%7D', 200, '{"id":"a","version":"1.30","all":false,"labels":["y"]}\n'],
  ['GET', '/things/a?filters=nonsense', 400, undefined],
  ['GET', '/things/%E0%A4%A', 400, '{"message":"invalid path \\"/things/%E0%A4%A\\""}\n'],
  ['POST', '/same', 304, ''],
  ['GET', '/conflict', 409, '{"message":"in use"}\n'],
  ['GET', '/broken', 500, '{"message":"boom"}\n'],
  ['GET', '/fails-at-once', 404, '{"message":"no such thing"}\n'],
  ['GET', '/fails-later', 200, '{"n":0}\r\n{"error":"no such thing"}\r\n'],
])('%s %s', async (method, url, status, body) => {
  const answer = await call(method, url);
  expect(answer.status).toBe(status);
  if (body !== undefined) expect(answer.body).toBe(body);
  expect(answer.headers).toMatchObject({ 'api-version': '1.51', 'docker-experimental': 'false', ostype: 'linux', server: 'Docker/9.9.9 (linux)' });
});

test.each([
  ['{"A":1}', 'application/json; charset=utf-8', 201, '{"A":1}\n'],
  ['', 'application/json', 201, 'null\n'],
  ['{"A":1}', 'text/plain', 400, `{"message":"unsupported Content-Type header (text/plain): must be 'application/json'"}\n`],
  ['{"A":', 'application/json', 400, undefined],
  ['{"A":1}{}', 'application/json', 400, undefined],
  [`"${'x'.repeat(9 << 20)}"`, 'application/json', 400, '{"message":"request body is larger than 8388608 bytes"}\n'],
])('JSON body %#', async (body, contentType, status, expected) => {
  const answer = await call('POST', '/echo', body, contentType);
  expect(answer.status).toBe(status);
  if (expected !== undefined) expect(answer.body).toBe(expected);
});

test('the socket is for root and its group only', () => {
  const { mode, uid, gid } = statSync(socketPath);
  expect([mode & 0o777, uid, gid]).toEqual([0o660, 0, 0]);
});

test('an upgraded connection: body, bytes both ways, half-close is EOF on stdin and output goes on', async () => {
  const client = await rawClient(upgradeHead('/v1.51/cat', '{"Tty":false}'));
  await client.until('{"Tty":false}');
  expect(client.received()).toBe(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: 1.51\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/9.9.9 (linux)\r\n\r\n{"Tty":false}',
  );
  client.socket.write('one');
  await client.until('one');
  client.socket.end('two');
  await client.ended;
  expect(client.received().split('\r\n\r\n')[1]).toBe('{"Tty":false}onetwo|after-eof');
});

test('before API 1.42 the stream is called raw', async () => {
  const client = await rawClient(upgradeHead('/v1.41/cat'));
  client.socket.end();
  await client.ended;
  expect(client.received()).toContain('Content-Type: application/vnd.docker.raw-stream\r\n');
});

test('stdin that comes right behind the request is not lost', async () => {
  const client = await rawClient(`${upgradeHead('/cat', '{}')}early`);
  await client.until('early');
  client.socket.end();
  await client.ended;
  expect(client.received().split('\r\n\r\n')[1]).toBe('{}early|after-eof');
});

test('without Upgrade the answer is 200 with raw bytes, stdin is the body', async () => {
  const client = await rawClient('POST /cat HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n');
  client.socket.end();
  await client.ended;
  const [headText = '', bodyText] = client.received().split('\r\n\r\n');
  expect(headText).toStartWith('HTTP/1.1 200 OK\r\n');
  expect(headText).toContain('application/vnd.docker.raw-stream');
  expect(headText.toLowerCase()).not.toContain('chunked');
  expect(bodyText).toBe('null|after-eof');
});

test('an error before the upgrade is an HTTP answer', async () => {
  const client = await rawClient(upgradeHead('/nothing'));
  await client.ended;
  expect(client.received()).toStartWith('HTTP/1.1 404 Not Found\r\n');
  expect(client.received()).toEndWith('{"message":"page not found"}\n');
});

async function takeConnection() {
  const taken = Promise.withResolvers<HijackedConnection>();
  hijackedConnections = taken;
  const client = await rawClient(upgradeHead('/take'));
  return { client, connection: await taken.promise };
}

test('a client that does not read holds the writer back, and nothing is lost', async () => {
  const { client, connection } = await takeConnection();
  await client.until('\r\n\r\n');
  const headLength = client.received().indexOf('\r\n\r\n') + 4;
  client.socket.pause();
  const chunk = Buffer.alloc(1 << 20, 'x');
  let written = 0;
  const writing = (async () => {
    for (; written < 16; written++) await connection.write(chunk);
    await connection.end();
  })();
  await Bun.sleep(100);
  expect(written).toBeLessThan(8);
  client.socket.resume();
  await writing;
  await client.ended;
  expect(client.received().length - headLength).toBe(16 << 20);
});

test('input that nobody reads holds the client back', async () => {
  const { client, connection } = await takeConnection();
  let sent = 0;
  const chunk = Buffer.alloc(64 << 10, 'y');
  while (client.socket.write(chunk)) sent += chunk.length;
  sent += chunk.length;
  client.socket.end();
  let received = 0;
  for await (const part of connection.input) received += part.length;
  expect(received).toBe(sent);
  connection.destroy();
});

test('write rejects once the client is gone, and the signal says so', async () => {
  const { client, connection } = await takeConnection();
  const aborted = new Promise<void>((resolve) => connection.signal.addEventListener('abort', () => resolve()));
  client.socket.destroy();
  await expect(
    (async () => {
      for (;;) await connection.write(Buffer.alloc(64 << 10));
    })(),
  ).rejects.toMatchObject({ code: 'Unavailable', message: 'the client closed the connection' });
  connection.destroy();
  await aborted;
});

test('a silent stream ends when the client leaves', async () => {
  const client = await rawClient('GET /endless HTTP/1.1\r\nHost: docker\r\n\r\n');
  await client.until('{"n":2}');
  client.socket.destroy();
  await left.promise;
});

test('a half-closed client still gets its answer', async () => {
  const client = await rawClient('GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n');
  client.socket.end();
  await client.ended;
  expect(client.received()).toEndWith('\r\n\r\nOK');
});

test('junk is answered 400', async () => {
  const client = await rawClient('\x16\x03\x01 junk\r\n\r\n');
  await client.ended;
  expect(client.received()).toStartWith('HTTP/1.1 400 Bad Request\r\n');
});

test('a socket that a killed daemon left is replaced; one that is listened on, or a file, is not', async () => {
  const options = { routes, productVersion: '1', log: silentLogger };
  const at = (name: string) => ({ ...options, hosts: [{ kind: 'unix', path: path.join(directory, name), groupId: 0 } as const] });
  await expect(startApiServer(at('api.sock'))).rejects.toMatchObject({ code: 'FailedPrecondition', message: `another process listens on ${socketPath}` });
  writeFileSync(path.join(directory, 'file'), '');
  await expect(startApiServer(at('file'))).rejects.toMatchObject({ code: 'FailedPrecondition' });
  await leaveStaleSocket(path.join(directory, 'stale.sock'));
  const second = await startApiServer(at('stale.sock'));
  await second.close(0);
  expect(existsSync(path.join(directory, 'stale.sock'))).toBe(false);
});

/** A listening process that is killed leaves its socket. */
async function leaveStaleSocket(at: string): Promise<void> {
  const child = Bun.spawn([process.execPath, '-e', `require('node:net').createServer().listen(${JSON.stringify(at)}, () => console.log('ready'))`], {
    stdout: 'pipe',
  });
  await child.stdout.getReader().read();
  child.kill('SIGKILL');
  await child.exited;
  expect(existsSync(at)).toBe(true);
}
