import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import { openTestCore, rejection, type TestCore } from '../core/fixtures.ts';
import { putImage, startTestRegistry, type TestRegistry } from './fixtures-registry.ts';
import { createPuller } from './pull.ts';

const mib = 1 << 20;
const layers = [[{ name: 'large', type: 'file' as const, mode: 0o644, content: randomBytes(5 * mib) }]];
const password = { kind: 'password', username: 'u', password: 'p' } as const;

const pull = (core: TestCore, registry: TestRegistry) =>
  createPuller({ ...core, retryDelayMs: 1, idleTimeoutMs: 300 })({ reference: `${registry.host}/app`, credentials: password });

/** What is left of a pull that nobody goes on with. */
async function left(core: TestCore): Promise<number> {
  await core.collectGarbage({ interruptedWork: true });
  return (await core.content.ingests()).length + (await Array.fromAsync(core.content.walk())).length + (await Array.fromAsync(core.snapshots.walk())).length;
}

/** Answers for the layer; everything else is as it should be. `start` is what was asked for. */
function layerAnswer(registry: TestRegistry, answer: (body: Uint8Array, start: number, response: http.ServerResponse) => void): void {
  const { layers: blobs } = putImage(registry, 'app', layers);
  const path = `/v2/app/blobs/${blobs[0]?.digest}`;
  registry.answer = ({ url, headers }, response) => {
    if (url !== path) return false;
    answer(registry.content.get(path)?.body ?? Buffer.alloc(0), Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0), response);
    return true;
  };
}

/** Sends so much of what is promised, and hangs up once it has gone: a reset would take back what is on its way. */
function cut(response: http.ServerResponse, body: Uint8Array, length: number): void {
  response.write(body.subarray(0, length), () => response.socket?.end());
}

const contentRange = (body: Uint8Array, start: number) => `bytes ${start}-${body.length - 1}/${body.length}`;

test('a registry that hangs up at every MiB: each request goes on behind what came of the one before', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const starts: number[] = [];
  layerAnswer(registry, (body, start, response) => {
    const part = body.subarray(start);
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': part.length, ...(start === 0 ? {} : { 'content-range': contentRange(body, start) }) });
    starts.push(start);
    if (part.length <= mib) response.end(part);
    else cut(response, part, mib);
  });
  expect((await pull(core, registry)).isNew).toBe(true);
  // How much of a part that is cut is seen is the connection's affair; that it is kept is ours.
  expect([starts[0], starts.length > 5]).toEqual([0, true]);
  expect(starts.filter((start, index) => index > 0 && start <= (starts[index - 1] ?? 0))).toEqual([]);
});

test.each<[string, (body: Uint8Array, start: number) => http.OutgoingHttpHeaders, RegExp]>([
  [
    'from the beginning',
    (body) => ({ 'content-range': contentRange(body, 0) }),
    /^DataLoss: blob \S+: the registry sent range "bytes 0-\d+\/\d+", asked was from \d+$/,
  ],
  [
    'from a byte too far',
    (body, start) => ({ 'content-range': contentRange(body, start + 1) }),
    /^DataLoss: blob \S+: the registry sent range "bytes \d+-\d+\/\d+", asked was from \d+$/,
  ],
  [
    'of another blob',
    (body, start) => ({ 'content-range': `bytes ${start}-${body.length}/${body.length + 1}` }),
    /^DataLoss: blob \S+: the registry sent range /,
  ],
  ['that it does not say', () => ({}), /^DataLoss: blob \S+: the registry sent range null, asked was from \d+$/],
  ['that is none', () => ({ 'content-range': 'bytes 5' }), /^DataLoss: blob \S+: the registry sent range "bytes 5", asked was from \d+$/],
])('a registry that sends a range %s', async (_name, headers, message) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  layerAnswer(registry, (body, start, response) => {
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': body.length - start, ...(start === 0 ? {} : headers(body, start)) });
    if (start === 0) cut(response, body, mib);
    else response.end(body.subarray(start));
  });
  expect(await rejection(pull(core, registry))).toMatch(message);
  expect(await left(core)).toBe(0);
});

test('a registry that says the right range and sends other bytes', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  layerAnswer(registry, (body, start, response) => {
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': body.length - start,
      ...(start === 0 ? {} : { 'content-range': contentRange(body, start) }),
    });
    if (start === 0) cut(response, body, mib);
    else response.end(Buffer.alloc(body.length - start, 'x'));
  });
  expect(await rejection(pull(core, registry))).toMatch(/^(DataLoss|FailedPrecondition|InvalidArgument): /);
  expect(await left(core)).toBe(0);
});

test('a registry that goes silent in a blob, each time: the error says so in its time, and the next pull goes on', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  let parts = 0;
  layerAnswer(registry, (body, start, response) => {
    response.writeHead(start === 0 ? 200 : 206, {
      'content-length': body.length - start,
      ...(start === 0 ? {} : { 'content-range': contentRange(body, start) }),
    });
    if (parts++ === 0) response.write(body.subarray(0, mib));
  });
  expect(await rejection(pull(core, registry))).toMatch(/^DeadlineExceeded: .*127.0.0.1:\d+ sent nothing for 300 ms$/);
  registry.answer = () => false;
  registry.requests.length = 0;
  await pull(core, registry);
  expect(registry.requests.at(-1)).toMatch(/ bytes=[1-9]\d*-\d+$/);
});

test('two hosts that send each other round: an error, and no credentials to the other', async () => {
  await using registry = await startTestRegistry();
  await using other = await startTestRegistry();
  using core = openTestCore();
  registry.answer = ({ headers, url }, response) => {
    if (headers.authorization === undefined && url !== '/v2/') return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end());
    return url !== '/v2/' && Boolean(response.writeHead(302, { location: `http://u:p@${other.host}${url}` }).end());
  };
  other.answer = ({ url }, response) => Boolean(response.writeHead(302, { location: `http://${registry.host}${url}` }).end());
  expect(await rejection(pull(core, registry))).toBe(`Unavailable: ${registry.host}: more than 10 redirects`);
  expect([other.requests.length > 0, other.requests.some((request) => request.includes('Basic'))]).toEqual([true, false]);
});

test('an endless error, and an endless token: bounded', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const chunk = Buffer.alloc(64 << 10, ' ');
  let sent = 0;
  const endless = (response: http.ServerResponse) => {
    const more = () => {
      sent += chunk.length;
      response.write(chunk, (error) => !error && sent < 64 * mib && more());
    };
    more();
    return true;
  };
  registry.answer = ({ url }, response) => url !== '/v2/' && endless(response.writeHead(403));
  expect(await rejection(pull(core, registry))).toBe(`PermissionDenied: ${registry.host} answered 403 for /v2/app/manifests/latest`);
  registry.answer = ({ url = '' }, response) => {
    if (url.startsWith('/token')) return endless(response.writeHead(200));
    return url !== '/v2/' && Boolean(response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end());
  };
  expect(await rejection(pull(core, registry))).toBe(`OutOfRange: token of ${registry.host} is larger than 1048576 bytes`);
  expect(sent).toBeLessThan(32 * mib);
});

test('a token server elsewhere gets the password over TLS only, unless the registry is plain; a header that is none is no challenge', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const realms = ['ftp://x/', 'nowhere', 'file:///etc/passwd', ''];
  const messages: string[] = [];
  for (const realm of realms) {
    registry.answer = ({ url }, response) => url !== '/v2/' && Boolean(response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end());
    messages.push(await rejection(pull(core, registry)));
  }
  expect(messages).toEqual(realms.map((realm) => `Unauthenticated: registry names ${JSON.stringify(realm)} as its token server: not an https address`));
});
