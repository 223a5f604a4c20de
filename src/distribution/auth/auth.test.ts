import { expect, test } from 'bun:test';
import { openTestCore, rejection } from '../../core/fixtures.ts';
import { putImage, startTestRegistry, type TestRegistry } from '../fixtures-registry.ts';
import { checkLogin } from '../login.ts';
import { createPuller } from '../pull.ts';
import { parseChallenges } from './challenge.ts';
import { type Credentials, credentialsOf } from './credentials.ts';

const files = [{ name: 'f', type: 'file' as const, mode: 0o644 }];
const password: Credentials = { kind: 'password', username: 'u', password: 'p:w' };
const basic = `Basic ${Buffer.from('u:p:w').toString('base64')}`;

test.each([
  ['Basic realm="a b"', [['basic', { realm: 'a b' }]]],
  [
    'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
    [['bearer', { realm: 'https://a/t', service: 's', scope: 'repository:a/b:pull,push' }]],
  ],
  [
    'bearer REALM=x , Basic realm="q\\"q"',
    [
      ['bearer', { realm: 'x' }],
      ['basic', { realm: 'q"q' }],
    ],
  ],
  [
    'Negotiate, Basic realm=x',
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['Bearer realm="open', [['bearer', {}]]],
  ['', []],
  ['=,"', []],
])('challenge %p', (header, expected) => {
  expect(parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])).toEqual(expected as never);
});

async function pull(registry: TestRegistry, credentials?: Credentials): Promise<string> {
  using core = openTestCore();
  return await rejection(createPuller({ ...core, retryDelayMs: 1 })({ reference: `${registry.host}/app`, credentials }));
}

/** Refuses every request that does not carry this header. */
function guard(registry: TestRegistry, authorization: string, challenge: string, token: TestRegistry['answer'] = () => false): void {
  registry.answer = (request, response) => {
    if (token(request, response) || request.url === '/v2/') return true;
    if (request.headers.authorization === authorization) return false;
    response.writeHead(401, { 'www-authenticate': challenge }).end('{}');
    return true;
  };
}

test('basic: only when asked for', async () => {
  await using registry = await startTestRegistry();
  const { manifest } = putImage(registry, 'app', [files]);
  guard(registry, basic, 'Basic realm="r"', ({ url }, response) => url === '/v2/' && Boolean(response.writeHead(200).end()));
  expect(await pull(registry, password)).toBe('fulfilled');
  expect(registry.requests.slice(0, 2)).toEqual(['GET /v2/app/manifests/latest', `GET /v2/app/manifests/latest ${basic}`]);
  expect(manifest.digest).toHaveLength(71);
  expect(await pull(registry)).toMatch(/^Unauthenticated: 127.0.0.1:\d+ answered 401 for \/v2\/app\/manifests\/latest$/);
  expect(await pull(registry, { ...password, password: 'no' })).toMatch(/^Unauthenticated: /);
});

test.each<[string, Credentials | undefined, string]>([
  ['anonymous', undefined, 'GET /token?service=s&scope=repository%3Aapp%3Apull'],
  ['password', password, `GET /token?service=s&scope=repository%3Aapp%3Apull ${basic}`],
  ['identity token', { kind: 'identity-token', token: 'id' }, 'POST /token'],
])('bearer, %s: one token for all requests of its scope', async (_name, credentials, asked) => {
  await using registry = await startTestRegistry();
  putImage(registry, 'app', [files]);
  const challenge = `Bearer realm="http://${registry.host}/token",service="s",scope="repository:app:pull"`;
  guard(registry, 'Bearer T', challenge, ({ url }, response) => {
    if (url === '/v2/') return Boolean(response.writeHead(200).end());
    return (url?.startsWith('/token') ?? false) && Boolean(response.end('{"token":"T","expires_in":300}'));
  });
  expect(await pull(registry, credentials)).toBe('fulfilled');
  expect(registry.requests.filter((request) => request.includes('/token'))).toEqual([asked]);
});

test.each([
  ['too large', 'x'.repeat(2 << 20), /^OutOfRange: token of 127.0.0.1:\d+ is larger than 1048576 bytes$/],
  ['no JSON', '<', /^Unauthenticated: token server 127.0.0.1:\d+ answered no JSON$/],
  ['a header break', '{"token":"a\\r\\nX: y"}', /^Unauthenticated: token server 127.0.0.1:\d+ answered without a token$/],
])('a token reply with %s', async (_name, reply, message) => {
  await using registry = await startTestRegistry();
  guard(registry, 'Bearer T', `Bearer realm="http://${registry.host}/token"`, ({ url }, response) => {
    if (url === '/v2/') return Boolean(response.writeHead(200).end());
    return (url?.startsWith('/token') ?? false) && Boolean(response.end(reply));
  });
  expect(await pull(registry)).toMatch(message);
});

test('the header stays at its origin when a blob is elsewhere', async () => {
  await using registry = await startTestRegistry();
  await using elsewhere = await startTestRegistry();
  const image = putImage(registry, 'app', [files]);
  putImage(elsewhere, 'app', [files]);
  guard(registry, basic, 'Basic realm="r"', ({ url, headers }, response) => {
    if (url === '/v2/') return Boolean(response.writeHead(200).end());
    if (!url?.includes('/blobs/') || headers.authorization !== basic) return false;
    return Boolean(response.writeHead(307, { location: `http://${elsewhere.host}${url}` }).end());
  });
  expect(await pull(registry, password)).toBe('fulfilled');
  expect(elsewhere.requests.sort()).toEqual([image.config, ...image.layers].map(({ digest }) => `GET /v2/app/blobs/${digest}`).sort());
});

test('a login is right or wrong', async () => {
  await using registry = await startTestRegistry();
  registry.answer = ({ headers }, response) =>
    Boolean(response.writeHead(headers.authorization === basic ? 200 : 401, { 'www-authenticate': 'Basic realm="r"' }).end('{}'));
  expect(await rejection(checkLogin({ domain: registry.host, credentials: password }))).toBe('fulfilled');
  expect(await rejection(checkLogin({ domain: registry.host, credentials: { ...password, password: 'no' } }))).toBe(
    `Unauthenticated: ${registry.host} answered 401 for /v2/`,
  );
});

test('the header that clients send', () => {
  expect(credentialsOf({ identitytoken: 'i' })).toEqual({ kind: 'identity-token', token: 'i' });
  expect(credentialsOf({ registrytoken: 'r', username: 'u' })).toEqual({ kind: 'registry-token', token: 'r' });
  expect(credentialsOf({ auth: Buffer.from('hub:h:x').toString('base64') })).toEqual({ kind: 'password', username: 'hub', password: 'h:x' });
  expect(credentialsOf({ auth: 'nonsense' })).toBeUndefined();
  expect(credentialsOf({})).toBeUndefined();
});
