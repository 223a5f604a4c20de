import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openTestCore, rejection } from '../core/fixtures.ts';
import { makeCertificate } from './fixtures-certificates.ts';
import { putImage, startTestRegistry, type TestRegistry } from './fixtures-registry.ts';
import { takePushes } from './fixtures-uploads.ts';
import { createPuller, type PullerOptions, type PullOptions } from './pull.ts';
import { createPusher } from './push.ts';

const files = [{ name: 'f', type: 'file' as const, mode: 0o644, content: Buffer.from('f') }];
const password = { kind: 'password', username: 'u', password: 'p' } as const;

/** A folder for registries, removed afterwards: file name → text. */
function configuration(entries: Readonly<Record<string, string>>): Disposable & { readonly configDirectories: readonly string[] } {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-hosts-'));
  for (const [name, text] of Object.entries(entries)) {
    mkdirSync(path.join(root, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return { configDirectories: [root], [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

async function pull(reference: string, settings: Partial<PullerOptions>, options: Partial<PullOptions> = {}): Promise<string> {
  using core = openTestCore();
  return await rejection(createPuller({ ...core, retryDelayMs: 1, idleTimeoutMs: 5000, ...settings })({ reference, ...options }));
}

const mirrored = (mirror: TestRegistry, registry: TestRegistry, more = '') =>
  configuration({ 'r.example/hosts.toml': `server = "http://${registry.host}"\n[host."http://${mirror.host}"]\n${more}` });

test('a mirror serves what it has; the registry the rest; no credentials for the mirror', async () => {
  await using mirror = await startTestRegistry();
  await using registry = await startTestRegistry();
  const image = putImage(registry, 'app', [files, [{ ...files[0], name: 'g' }] as typeof files]);
  putImage(mirror, 'app', [files]);
  const own = `/v2/app/blobs/${image.layers[0]?.digest}`;
  using hosts = mirrored(mirror, registry, `capabilities = ["pull"]\n[host."http://${mirror.host}".header]\nX-Mirror = "m"\n`);
  const marks: string[] = [];
  mirror.answer = ({ headers, url }, response) => {
    marks.push(`${headers['x-mirror']} ${headers.authorization}`);
    if (url === own) return false;
    return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="m"' }).end());
  };
  registry.answer = ({ headers }, response) => {
    if (headers.authorization !== undefined && headers['x-mirror'] === undefined) return false;
    return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end());
  };
  expect(await pull('r.example/app', hosts, { credentials: password })).toBe('fulfilled');
  expect(mirror.requests).toContain(`GET ${own}`);
  // Without `resolve` it is not asked what a tag stands for.
  expect(mirror.requests.some((request) => request.includes('/manifests/latest'))).toBe(false);
  expect(registry.requests.some((request) => request.includes(own))).toBe(false);
  expect([...new Set(marks)]).toEqual(['m undefined']);
});

test.each<[string, number, TestRegistry['answer']]>([
  ['has nothing', 3, () => false],
  ['is broken', 1, (_request, response) => Boolean(response.writeHead(500).end())],
  ['hangs up', 1, (request) => Boolean(request.socket.destroy())],
  ['is silent', 1, () => true],
  ['redirects in a loop', 11, ({ url }, response) => Boolean(response.writeHead(307, { location: url }).end())],
])('a mirror that %s is passed by', async (_name, requests, answer) => {
  await using mirror = await startTestRegistry();
  await using registry = await startTestRegistry();
  putImage(registry, 'app', [files]);
  mirror.answer = answer;
  using hosts = mirrored(mirror, registry);
  expect(await pull('r.example/app', { ...hosts, idleTimeoutMs: 200 })).toBe('fulfilled');
  // Manifest, configuration, layer; a loop is eleven requests. Its time is waited for once.
  expect(mirror.requests.length).toBe(requests);
});

test('a mirror that is not there; when the registry fails too, its error is the one', async () => {
  await using registry = await startTestRegistry();
  putImage(registry, 'app', [files]);
  using hosts = configuration({ 'r.example/hosts.toml': `server = "http://${registry.host}"\n[host."http://127.0.0.1:1"]\n` });
  expect(await pull('r.example/app', hosts)).toBe('fulfilled');
  expect(await pull('r.example/none', hosts)).toBe(`NotFound: manifest  unknown (${registry.host} answered 404 for /v2/none/manifests/latest)`);
});

test('pushes go where they may', async () => {
  await using mirror = await startTestRegistry();
  await using registry = await startTestRegistry();
  using core = openTestCore();
  putImage(registry, 'app', [files]);
  takePushes(registry);
  using hosts = mirrored(mirror, registry, 'capabilities = ["pull", "resolve"]\n');
  const { record } = await createPuller({ ...core, ...hosts })({ reference: 'r.example/app' });
  mirror.requests.length = 0;
  await createPusher({ ...core, ...hosts })({ reference: 'r.example/other', target: record.target });
  expect([mirror.requests, registry.content.has('/v2/other/manifests/latest')]).toEqual([[], true]);
  using closed = configuration({ 'r.example/hosts.toml': `server = "http://${registry.host}"\ncapabilities = ["pull"]\n` });
  expect(await rejection(createPusher({ ...core, ...closed })({ reference: 'r.example/other', target: record.target }))).toBe(
    'FailedPrecondition: no host that is configured for r.example can push',
  );
});

test('TLS: own authorities, client certificates, and unverified only where it is said', async () => {
  const authority = makeCertificate('authority');
  const server = makeCertificate('server', { name: 'authority', key: authority.key });
  const client = makeCertificate('client', { name: 'authority', key: authority.key });
  await using registry = await startTestRegistry({
    cert: server.certificate,
    key: server.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: false,
  });
  putImage(registry, 'app', [files]);
  const certified: boolean[] = [];
  registry.answer = ({ socket }) => {
    certified.push((socket as { readonly authorized?: boolean }).authorized === true);
    return false;
  };
  const port = registry.host.split(':')[1];
  const toml = (text: string) =>
    configuration({
      'r.example/hosts.toml': `server = "https://127.0.0.1:${port}"\n${text}`,
      'r.example/ca.pem': authority.certificate,
      'r.example/client.pem': client.certificate + client.key,
    });
  const outcomes: string[] = [];
  for (const text of ['', 'ca = "ca.pem"\n', 'ca = "ca.pem"\nclient = "client.pem"\n', 'skip_verify = true\n']) {
    using hosts = toml(text);
    certified.length = 0;
    outcomes.push(`${(await pull('r.example/app', hosts)).replace(registry.host, 'HOST')} ${[...new Set(certified)]}`);
  }
  expect(outcomes).toEqual([
    expect.stringMatching(/^Unavailable: HOST: .*certificate.* $/) as unknown as string,
    'fulfilled false',
    'fulfilled true',
    'fulfilled false',
  ]);
  // docker's folder; loopback needs no verification, but shows the certificate all the same.
  using docker = configuration({
    [`${registry.host}/ca.crt`]: authority.certificate,
    [`${registry.host}/c.cert`]: client.certificate,
    [`${registry.host}/c.key`]: client.key,
  });
  certified.length = 0;
  expect([await pull(`${registry.host}/app`, docker), ...new Set(certified)]).toEqual(['fulfilled', true]);
});

test('a redirect to another host takes neither header, nor client certificate, nor the leave to skip verification along', async () => {
  const authority = makeCertificate('authority');
  const server = makeCertificate('server', { name: 'authority', key: authority.key });
  const options = { cert: server.certificate, key: server.key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
  await using registry = await startTestRegistry(options);
  await using elsewhere = await startTestRegistry(options);
  putImage(registry, 'app', [files]);
  putImage(elsewhere, 'app', [files]);
  registry.answer = ({ url }, response) => Boolean(url?.includes('/blobs/') && response.writeHead(307, { location: `https://${elsewhere.host}${url}` }).end());
  const seen: unknown[] = [];
  elsewhere.answer = ({ headers, socket }) => {
    seen.push([headers['x-own'], headers.authorization, (socket as { readonly authorized?: boolean }).authorized]);
    return false;
  };
  const folder = (text: string) =>
    configuration({
      'r.example/hosts.toml': `server = "https://${registry.host}"\n${text}client = "both.pem"\n[header]\nx-own = "secret"\n`,
      'r.example/ca.pem': authority.certificate,
      'r.example/both.pem': server.certificate + server.key,
    });
  using trusting = folder('ca = "ca.pem"\n');
  expect(await pull('r.example/app', trusting, { credentials: { kind: 'registry-token', token: 'T' } })).toBe('fulfilled');
  expect([seen.length > 0, ...new Set(seen.map((one) => JSON.stringify(one)))]).toEqual([true, '[null,null,false]']);
  using skipping = folder('skip_verify = true\n');
  expect((await pull('r.example/app', skipping)).replace(elsewhere.host, 'HOST')).toMatch(/^Unavailable: HOST: .*certificate/);
});
