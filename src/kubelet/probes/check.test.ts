import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { StrakeError, silentLogger } from '../../base/index.ts';
import { serveGrpc } from '../../rpc/grpc/index.ts';
import type { Cri } from '../cri.ts';
import { testContainer } from '../fixtures.ts';
import type { V1Probe } from '../kubernetes.ts';
import { checkOnce } from './check.ts';

let web: http.Server;
let port: number;
const requests: http.IncomingMessage[] = [];

beforeAll(async () => {
  web = http.createServer((request, response) => {
    requests.push(request);
    const status = Number(/^\/(\d{3})/.exec(request.url ?? '')?.[1] ?? 0);
    if (request.url === '/silent') return;
    if (request.url === '/endless') {
      response.write('x'.repeat(64 * 1024));
      return;
    }
    const location = request.url?.split('?to=')[1];
    response.writeHead(status || 200, location === undefined ? {} : { Location: decodeURIComponent(location) });
    response.end('answer');
  });
  await new Promise<void>((listening) => web.listen(0, '127.0.0.1', listening));
  port = (web.address() as AddressInfo).port;
});

afterAll(() => {
  web.closeAllConnections();
  web.close();
});

const noRuntime = {} as Cri['runtime'];

async function check(probe: V1Probe, runtime = noRuntime): Promise<string> {
  const container = testContainer('main', { ports: [{ name: 'web', containerPort: port }] });
  const { result, message } = await checkOnce(
    { timeoutSeconds: 5, ...probe },
    { containerId: 'id', container, podIP: '127.0.0.1' },
    runtime,
    new AbortController().signal,
  );
  return message === '' ? result : `${result}: ${message}`;
}

const get = async (path: string, more: object = {}) => await check({ httpGet: { path, port: 'web', ...more } });

describe('http', () => {
  test.each([
    ['/', 'success'],
    ['204', 'success'],
    ['/399', 'success'],
    ['/400', 'failure: HTTP probe failed with statuscode: 400 answer'],
    ['/503', 'failure: HTTP probe failed with statuscode: 503 answer'],
    ['/endless', 'success'],
    ['/302?to=/500', 'failure: HTTP probe failed with statuscode: 500 answer'],
    ['/302?to=http%3A%2F%2Fother.invalid%2F', 'success'],
  ])('%s: %s', async (path, expected) => {
    expect(await get(path)).toBe(expected);
  });

  test('headers of the manifest go before ours', async () => {
    requests.length = 0;
    await get('/', {
      httpHeaders: [
        { name: 'user-agent', value: 'me' },
        { name: 'X-Other', value: '1' },
      ],
    });
    expect(requests[0]?.headers).toMatchObject({ 'user-agent': 'me', 'x-other': '1', host: `127.0.0.1:${port}` });
  });

  test('no answer in time, nobody there, no such port', async () => {
    expect(await check({ httpGet: { path: '/silent', port }, timeoutSeconds: 0.05 })).toBe('failure: no answer within 0.05 s');
    expect(await check({ httpGet: { port: 1 } })).toStartWith('failure: ');
    expect(await check({ httpGet: { port: 'none' } })).toBe('failure: container main has no port "none"');
  });
});

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((ended) => server.close(ended));
  return free;
}

test('tcp', async () => {
  expect(await check({ tcpSocket: { port } })).toBe('success');
  expect(await check({ tcpSocket: { port: await freePort() } })).toStartWith('failure: ');
});

test('grpc', async () => {
  const free = await freePort();
  expect(await check({ grpc: { port: free } })).toStartWith('failure: cannot connect to 127.0.0.1:');
  const server = await serveGrpc({ hosts: [{ kind: 'tcp', address: '127.0.0.1', port: free }], services: [], log: silentLogger });
  try {
    expect(await check({ grpc: { port: free } })).toBe('success');
    expect(await check({ grpc: { port: free, service: 'none' } })).toStartWith('failure: ');
  } finally {
    await server.close(0);
  }
});

describe('exec', () => {
  const runtime = (execSync: () => Promise<unknown>) => ({ execSync }) as unknown as Cri['runtime'];
  const answers = (exitCode: number, text: string) => runtime(async () => ({ exitCode, stdout: Buffer.from(text), stderr: Buffer.alloc(0) }));
  const fails = (code: 'DeadlineExceeded' | 'Unavailable') =>
    runtime(async () => {
      throw new StrakeError(code, 'it was so');
    });
  test.each([
    [answers(0, 'x'), 'success'],
    [answers(2, 'why\n'), 'failure: exit status 2: why'],
    [answers(1, 'y'.repeat(5000)), `failure: ${`exit status 1: ${'y'.repeat(5000)}`.slice(0, 1024)}`],
    [fails('DeadlineExceeded'), 'failure: it was so'],
    [fails('Unavailable'), 'unknown: it was so'],
  ])('%#', async (fake, expected) => {
    expect(await check({ exec: { command: ['a'] } }, fake)).toBe(expected);
  });
});
