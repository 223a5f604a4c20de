import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { openTestCore, rejection, type TestCore } from '../core/fixtures.ts';
import { putBlob } from '../core/index.ts';
import { type Descriptor, digestOf, mediaTypes } from '../oci/index.ts';
import { putImage, startTestRegistry, type TestRegistry } from './fixtures-registry.ts';
import { takePushes } from './fixtures-uploads.ts';
import { createPuller } from './pull.ts';
import { createPusher, type PusherOptions, type PushOptions } from './push.ts';
import { listReferrers } from './registry/referrers.ts';
import { RegistryClient } from './registry/registry-client.ts';

const file = (name: string, content: string | Uint8Array) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(content) });
const small = [file('small', 'one')];
/** Does not compress, and is more than one request's worth. */
const large = [file('large', randomBytes(6 << 20))];
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** An image in the content store; where it comes from is another registry than the one that is pushed to. */
async function imageIn(core: TestCore, layers = [small, large]) {
  await using origin = await startTestRegistry();
  const image = putImage(origin, 'app', layers);
  await createPuller({ ...core, retryDelayMs: 1 })({ reference: `${origin.host}/app` });
  return image;
}

function pushTo(core: TestCore, registry: TestRegistry, target: Descriptor, options: Partial<PushOptions> = {}, settings: Partial<PusherOptions> = {}) {
  const push = createPusher({ ...core, retryDelayMs: 1, idleTimeoutMs: 10_000, ...settings });
  return push({ reference: `${registry.host}/mine`, target, ...options });
}

test('blobs, then the manifest; docker’s progress; again there is nothing to send; elsewhere it is mounted', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest, config, layers, diffIds } = await imageIn(core);
  const uploads = takePushes(registry);
  const lines: string[] = [];
  const progress: PushOptions['progress'] = ({ id, status, progressDetail: detail }) => {
    if (status === 'Pushing' && detail?.current !== detail?.total) return;
    lines.push(`${id ?? ''} ${status}${detail !== undefined && detail.total > 0 ? ` ${detail.current}/${detail.total}` : ''}`);
  };
  expect(await pushTo(core, registry, manifest, { progress })).toEqual({ descriptor: manifest, isPart: false });
  const [one = '', two = ''] = diffIds.map((diffId) => diffId.slice(7, 19));
  const linesOf = (id: string) => lines.filter((line) => line.startsWith(id)).map((line) => line.slice(13));
  expect(linesOf(one)).toEqual(['Preparing', `Pushing ${layers[0]?.size}/${layers[0]?.size}`, 'Pushed']);
  expect(linesOf(two)).toEqual(['Preparing', `Pushing ${layers[1]?.size}/${layers[1]?.size}`, 'Pushed']);
  expect([lines[0], lines.at(-1)]).toEqual([
    ` The push refers to repository [${registry.host}/mine]`,
    ` latest: digest: ${manifest.digest} size: ${manifest.size}`,
  ]);
  expect(uploads.received).toBe([config, ...layers].reduce((sum, { size }) => sum + size, 0));
  expect(registry.requests.at(-1)).toBe('PUT /v2/mine/manifests/latest');
  using other = openTestCore();
  expect((await createPuller({ ...other, retryDelayMs: 1 })({ reference: `${registry.host}/mine` })).record.target).toEqual(manifest);

  registry.requests.length = 0;
  lines.length = 0;
  await pushTo(core, registry, manifest, { progress });
  expect(registry.requests.filter((request) => !request.startsWith('HEAD'))).toEqual(['PUT /v2/mine/manifests/latest']);
  expect(linesOf(one)).toEqual(['Preparing', 'Layer already exists']);

  lines.length = 0;
  const before = uploads.received;
  await pushTo(core, registry, manifest, { progress, reference: `${registry.host}/second:v1` });
  expect([uploads.received, linesOf(two)]).toEqual([before, ['Preparing', 'Mounted from mine']]);
  expect(registry.requests).toContain(`POST /v2/second/blobs/uploads/?${new URLSearchParams({ mount: layers[0]?.digest ?? '', from: 'mine' })}`);
});

test('a broken upload goes on where the registry has it', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest, config, layers } = await imageIn(core);
  const uploads = takePushes(registry, { breakAt: [2 << 20, 4 << 20] });
  await pushTo(core, registry, manifest);
  expect(uploads.breakAt).toEqual([]);
  const size = [config, ...layers].reduce((sum, blob) => sum + blob.size, 0);
  expect(uploads.received).toBe(size);
  expect(registry.requests.filter((request) => request.startsWith('PATCH')).length).toBe(3);
});

test.each<[string, Partial<PusherOptions>, number | undefined, number]>([
  ['as large as is said', { chunkBytes: 2 << 20 }, undefined, 4],
  ['as large as the registry wants them', { chunkBytes: 1 << 20 }, 4 << 20, 2],
  ['of the whole', {}, 1 << 20, 1],
])('requests %s', async (_name, settings, minLength, patches) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core, [large]);
  takePushes(registry, { minLength });
  await pushTo(core, registry, manifest, {}, settings);
  expect(registry.requests.filter((request) => request.startsWith('PATCH')).length).toBe(patches);
});

test('a registry that forgets the upload: it begins anew; one that never takes it: an error', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core, [large]);
  const uploads = takePushes(registry, { breakAt: [1 << 20] });
  let forget = 1;
  uploads.answer = ({ method, url }) => {
    if (method === 'GET' && url?.includes('/uploads/') && forget-- > 0) uploads.open.clear();
    return false;
  };
  await pushTo(core, registry, manifest);
  expect(registry.requests.filter((request) => request.startsWith('POST')).length).toBe(3);
  await using never = await startTestRegistry();
  takePushes(never).answer = ({ method }, response) => method === 'PATCH' && Boolean(response.writeHead(416).end());
  expect(await rejection(pushTo(core, never, manifest))).toMatch(/^OutOfRange: 127.0.0.1:\d+ answered 416 for /);
});

test('a busy registry is asked again, after the pause that it asks for', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core, [small]);
  const uploads = takePushes(registry);
  let busy = 3;
  uploads.answer = ({ url }, response) => url !== '/v2/' && busy-- > 0 && Boolean(response.writeHead(429, { 'retry-after': '0' }).end());
  await pushTo(core, registry, manifest);
  expect(busy).toBeLessThan(0);
});

test('a password: requests that were on their way without it are all made again', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core);
  const uploads = takePushes(registry);
  const waiting: ServerResponse[] = [];
  let isTogether = false;
  // The first two are refused together, so that neither has heard of the other's challenge.
  uploads.answer = ({ url, headers }, response) => {
    if (url === '/v2/') return Boolean(response.writeHead(200).end());
    if (headers.authorization !== undefined) return false;
    waiting.push(response);
    isTogether ||= waiting.length >= 2;
    if (isTogether) for (const one of waiting.splice(0)) one.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    return true;
  };
  await pushTo(core, registry, manifest, { credentials: { kind: 'password', username: 'u', password: 'p' } });
  expect(registry.content.has('/v2/mine/manifests/latest')).toBe(true);
});

test('tokens: for both repositories of a mount, renewed before they end, never a body without one', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest, layers } = await imageIn(core);
  const uploads = takePushes(registry);
  await pushTo(core, registry, manifest, { reference: `${registry.host}/first` });
  let issued = 0;
  const refused: string[] = [];
  uploads.answer = ({ url = '', method, headers }, response) => {
    if (url === '/v2/') return Boolean(response.writeHead(200).end());
    if (url.startsWith('/token')) return Boolean(response.end(JSON.stringify({ token: `T${++issued}`, expires_in: 0.001 })));
    if (/^Bearer T\d+$/.test(headers.authorization ?? '')) return false;
    refused.push(method ?? '');
    const challenge = `Bearer realm="http://${registry.host}/token",service="s",scope="repository:mine:pull"`;
    return Boolean(response.writeHead(401, { 'www-authenticate': challenge }).end('{}'));
  };
  registry.requests.length = 0;
  await pushTo(core, registry, manifest);
  expect([...new Set(refused)]).toEqual(['HEAD']);
  const asked = registry.requests
    .filter((request) => request.includes('/token'))
    .map((request) => new URL(request.split(' ')[1] ?? '', 'http://x').searchParams.getAll('scope'));
  expect(asked).toContainEqual(['repository:mine:pull,push', 'repository:first:pull']);
  const renewals = asked.filter((scopes) => scopes.join() === 'repository:mine:pull,push').length;
  expect([registry.content.has(`/v2/mine/blobs/${layers[1]?.digest}`), renewals > 0]).toEqual([true, true]);
});

test('an upload that goes elsewhere takes no credentials along', async () => {
  await using registry = await startTestRegistry();
  await using elsewhere = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core, [small]);
  const uploads = takePushes(registry);
  const storage = takePushes(elsewhere);
  storage.open.set('far', Buffer.alloc(0));
  const seen: (string | undefined)[] = [];
  storage.answer = ({ headers }) => {
    seen.push(headers.authorization);
    return false;
  };
  uploads.answer = ({ url, method, headers }, response) => {
    if (headers.authorization === undefined && url !== '/v2/')
      return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="r"', 'content-length': 0 }).end());
    if (method !== 'POST') return false;
    storage.open.set('far', Buffer.alloc(0));
    return Boolean(response.writeHead(202, { location: `http://${elsewhere.host}/v2/mine/blobs/uploads/far?state=s`, 'content-length': 0 }).end());
  };
  const credentials = { kind: 'password', username: 'u', password: 'p' } as const;
  // The registry has no blob, for the other host took it: what counts is what that was told.
  expect(await rejection(pushTo(core, registry, manifest, { credentials }, { uploads: 1 }))).toMatch(
    /^NotFound: 127.0.0.1:\d+ answered 404 for \/v2\/mine\/manifests\/latest$/,
  );
  expect([seen.length > 0, seen.some((header) => header !== undefined)]).toEqual([true, false]);
});

test('stopped, it stops at once; silence ends it in its time', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = await imageIn(core, [large]);
  const uploads = takePushes(registry);
  const stop = new AbortController();
  uploads.answer = ({ method, url }) => {
    if (method !== 'PATCH' || url === undefined) return false;
    stop.abort(new Error('enough'));
    return true;
  };
  expect(await rejection(pushTo(core, registry, manifest, { signal: stop.signal }))).toBe('undefined: enough');
  expect(await rejection(pushTo(core, registry, manifest, {}, { idleTimeoutMs: 200 }))).toMatch(/^DeadlineExceeded: 127.0.0.1:\d+ sent nothing for 200 ms$/);
});

test.each([
  ['other bytes', (size: number) => Buffer.alloc(size, 'x')],
  ['fewer bytes', (size: number) => Buffer.alloc(size - 1, 'x')],
])('a damaged blob, %s: it is named, not the registry blamed', async (_what, damage) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest, layers } = await imageIn(core, [small]);
  takePushes(registry);
  const digest = layers[0]?.digest ?? '';
  writeFileSync(path.join(core.root, 'content/blobs/sha256', digest.slice(7)), damage(layers[0]?.size ?? 0));
  expect(await rejection(pushTo(core, registry, manifest))).toStartWith(`DataLoss: blob ${digest} is damaged`);
  expect([...registry.content.keys()].filter((key) => key.includes('/manifests/'))).toEqual([]);
});

async function store(core: TestCore, value: unknown, mediaType: string): Promise<Descriptor> {
  const bytes = json(value);
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await putBlob(core.content, descriptor, bytes);
  return descriptor;
}

test('an index: its manifests first, or the one that is here, or that of a platform', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const one = { ...(await imageIn(core, [small])).manifest, platform: { os: 'linux', architecture: 'amd64' } };
  const two = { ...(await imageIn(core, [[file('x', 'y')]])).manifest, platform: { os: 'linux', architecture: 'arm64' } };
  const index = (manifests: readonly Descriptor[]) => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const whole = await store(core, index([one, two]), mediaTypes.ociIndex);
  takePushes(registry);
  expect(await pushTo(core, registry, whole)).toEqual({ descriptor: whole, isPart: false });
  expect(registry.requests.filter((request) => request.startsWith('PUT /v2/mine/manifests')).map((request) => request.split('/').at(-1))).toEqual([
    one.digest,
    two.digest,
    'latest',
  ]);
  const { platform, ...plain } = two;
  expect(await pushTo(core, registry, whole, { platform })).toEqual({ descriptor: plain, isPart: true });
  const absent = { ...two, digest: digestOf('absent') };
  const partial = await store(core, index([absent, two]), mediaTypes.ociIndex);
  expect(await pushTo(core, registry, partial)).toEqual({ descriptor: plain, isPart: true });
  const lacking = await store(core, index([absent, one, two]), mediaTypes.ociIndex);
  expect(await rejection(pushTo(core, registry, lacking))).toBe(`NotFound: of the 3 manifests of ${lacking.digest} only 2 are here`);
  expect(await rejection(pushTo(core, registry, whole, { platform: { os: 'linux', architecture: 's390x' } }))).toBe(
    'NotFound: no matching manifest for linux/s390x in the manifest list entries',
  );
});

test.each([true, false])('referrers, when the registry keeps their list: %p', async (knowsSubject) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest: subject } = await imageIn(core, [small]);
  const { mediaType, digest, size } = subject;
  const config = await store(core, {}, 'application/vnd.oci.empty.v1+json');
  const artifact = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'text/sbom',
    config,
    layers: [config],
    subject: { mediaType, digest, size },
  };
  const referrer = await store(core, artifact, mediaTypes.ociManifest);
  const uploads = takePushes(registry, { knowsSubject });
  await pushTo(core, registry, referrer, { reference: `${registry.host}/mine@${referrer.digest}` });
  await pushTo(core, registry, referrer, { reference: `${registry.host}/mine@${referrer.digest}` });
  const entry = { ...referrer, artifactType: 'text/sbom' };
  if (knowsSubject)
    uploads.answer = ({ url = '' }, response) => {
      if (!url.startsWith(`/v2/mine/referrers/${digest}`)) return false;
      const more = url.includes('n=2') ? {} : { link: `</v2/mine/referrers/${digest}?n=2>; rel="next"` };
      const manifests = url.includes('n=2') ? [{ ...entry, artifactType: 'text/other' }] : [entry];
      return Boolean(response.writeHead(200, { 'content-type': mediaTypes.ociIndex, ...more }).end(JSON.stringify({ schemaVersion: 2, manifests })));
    };
  const client = new RegistryClient({ domain: registry.host });
  const found = await listReferrers(client, { repository: 'mine', digest });
  expect(found).toEqual(knowsSubject ? [entry, { ...entry, artifactType: 'text/other' }] : [entry]);
  expect(await listReferrers(client, { repository: 'mine', digest, artifactType: 'text/sbom' })).toEqual([entry]);
  expect(await listReferrers(client, { repository: 'mine', digest: digestOf('nobody') })).toEqual([]);
});

test('two pushes at once send a blob once', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest, config, layers } = await imageIn(core);
  const uploads = takePushes(registry);
  const push = createPusher({ ...core, retryDelayMs: 1 });
  await Promise.all(['a', 'b'].map(async (tag) => await push({ reference: `${registry.host}/mine:${tag}`, target: manifest })));
  expect(uploads.received).toBe([config, ...layers].reduce((sum, { size }) => sum + size, 0));
});
