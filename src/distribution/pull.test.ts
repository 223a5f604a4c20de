import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openTestCore, rejection, type TestCore } from '../core/fixtures.ts';
import { digestOf, hostPlatform, mediaTypes } from '../oci/index.ts';
import { putImage, startTestRegistry, type TestImageChange, type TestRegistry } from './fixtures-registry.ts';
import { createPuller, type PullerOptions, type PullOptions } from './pull.ts';

const file = (name: string, content: string | Uint8Array) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(content) });
const base = [file('base', 'one')];
const top = [file('top', 'two')];
/** Does not compress: its transfer takes several chunks. */
const large = [file('large', randomBytes(3 << 20))];

function pullFrom(core: TestCore, registry: TestRegistry, options: Partial<PullOptions> = {}, settings: Partial<PullerOptions> = {}) {
  const pull = createPuller({ ...core, retryDelayMs: 1, idleTimeoutMs: 10_000, ...settings });
  return pull({ reference: `${registry.host}/app`, ...options });
}

/** What is in the stores once interrupted work is given up: nothing, after a pull that failed. */
async function kept(core: TestCore): Promise<readonly string[]> {
  await core.collectGarbage({ interruptedWork: true });
  const snapshots = (await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key);
  const blobs = (await Array.fromAsync(core.content.walk())).map(({ digest }) => digest);
  return [...(await core.images.list()).map(({ name }) => name), ...snapshots, ...blobs];
}

test('an image is fetched, unpacked and named; docker’s progress; again it is up to date; removed it leaves nothing', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const image = putImage(registry, 'app', [base, top]);
  const lines: string[] = [];
  const progress: PullOptions['progress'] = ({ id, status, progressDetail: detail }) =>
    lines.push(`${id ?? ''} ${status}${detail !== undefined && detail.total > 0 ? ` ${detail.current}/${detail.total}` : ''}`);
  const pulled = await pullFrom(core, registry, { progress });
  const name = `${registry.host}/app:latest`;
  expect([pulled.record.name, pulled.record.target, pulled.isNew]).toEqual([name, image.manifest, true]);
  const [one, two] = image.layers.map(({ digest, size }) => ({ id: digest.slice(7, 19), size }));
  const layerLines = (id: string | undefined) => lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.slice(13));
  for (const layer of [one, two])
    expect(layerLines(layer?.id)).toEqual([
      'Pulling fs layer',
      `Downloading ${layer?.size}/${layer?.size}`,
      'Verifying Checksum',
      'Download complete',
      `Extracting ${layer?.size}/${layer?.size}`,
      'Pull complete',
    ]);
  expect([lines[0], ...lines.slice(-2)]).toEqual([
    `latest Pulling from ${registry.host}/app`,
    ` Digest: ${image.manifest.digest}`,
    ` Status: Downloaded newer image for ${name}`,
  ]);
  const mount = await core.snapshots.view('look', pulled.image.chainIds[1]);
  const lowers = mount.type === 'overlay' ? mount.lowers : [];
  expect([readFileSync(path.join(lowers[0] ?? '', 'top'), 'utf8'), readFileSync(path.join(lowers[1] ?? '', 'base'), 'utf8')]).toEqual(['two', 'one']);
  await core.snapshots.remove('look');

  registry.requests.length = 0;
  lines.length = 0;
  expect((await pullFrom(core, registry, { progress })).isNew).toBe(false);
  expect(registry.requests).toEqual(['GET /v2/app/manifests/latest']);
  expect(lines).toEqual([`latest Pulling from ${registry.host}/app`, ` Digest: ${image.manifest.digest}`, ` Status: Image is up to date for ${name}`]);

  await core.images.delete(name);
  expect(await kept(core)).toEqual([]);
});

test('what had the name before stays under its digest', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const before = putImage(registry, 'app', [base]);
  await pullFrom(core, registry);
  putImage(registry, 'app', [base, top]);
  expect((await pullFrom(core, registry)).isNew).toBe(true);
  expect((await core.images.list()).map(({ name }) => name)).toEqual([`${registry.host}/app:latest`, `${registry.host}/app@${before.manifest.digest}`]);
});

test('of an index the manifest for the platform is taken', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { manifest } = putImage(registry, 'app', [base]);
  const other = { ...manifest, digest: digestOf('other'), platform: { os: 'linux', architecture: 's390x' } };
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.dockerIndex, manifests: [other, { ...manifest, platform: hostPlatform() }] }),
  );
  registry.content.set('/v2/app/manifests/latest', { type: mediaTypes.dockerIndex, body });
  const pulled = await pullFrom(core, registry);
  expect([pulled.record.target.digest, pulled.image.manifestDescriptor.digest]).toEqual([digestOf(body), manifest.digest]);
  expect(await rejection(pullFrom(core, registry, { platform: { os: 'linux', architecture: 'riscv64' } }))).toBe(
    'NotFound: no matching manifest for linux/riscv64 in the manifest list entries',
  );
});

test('the same image pulled twice at once, and one that has a layer several times', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { layers } = putImage(registry, 'app', [large, base, large, base]);
  const pull = createPuller(core);
  const reference = `${registry.host}/app`;
  const [one, two] = await Promise.all([pull({ reference }), pull({ reference })]);
  expect(one.image.chainIds).toEqual(two.image.chainIds);
  for (const { digest } of layers) expect(registry.requests.filter((request) => request.endsWith(digest)).length).toBe(1);
  expect(await core.content.ingests()).toEqual([]);
});

test('two pulls at once fetch a shared layer once', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  putImage(registry, 'app', [large, base]);
  const { layers } = putImage(registry, 'other', [large, top]);
  const pull = createPuller(core);
  await Promise.all([pull({ reference: `${registry.host}/app` }), pull({ reference: `${registry.host}/other` })]);
  expect(registry.requests.filter((request) => request.endsWith(layers[0]?.digest ?? '')).length).toBe(1);
});

test.each<[string, (request: { readonly range?: string | undefined }) => boolean]>([
  ['goes on where it broke', () => true],
  ['goes on with a registry that ignores ranges', () => false],
])('a broken transfer %s', async (_name, honours) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { layers } = putImage(registry, 'app', [large]);
  const layer = `/v2/app/blobs/${layers[0]?.digest}`;
  let breaks = 2;
  registry.answer = ({ url, headers }, response) => {
    if (url !== layer) return false;
    const { body } = registry.content.get(layer) ?? { body: Buffer.alloc(0) };
    const start = honours(headers) ? Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    if (breaks-- <= 0 && honours(headers)) return false;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': body.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
    });
    if (breaks < 0) response.end(body.subarray(start));
    else response.write(body.subarray(start, start + (1 << 20) * (2 - breaks)), () => response.destroy());
    return true;
  };
  await pullFrom(core, registry);
  const ranges = registry.requests.filter((request) => request.includes(layer)).map((request) => request.split(' ')[2] ?? 'whole');
  expect(ranges.length).toBe(3);
  expect([ranges[0], ...ranges.slice(1).map((range) => /^bytes=[1-9]\d*-\d+$/.test(range))]).toEqual(['whole', true, true]);
});

test('a pull that was stopped goes on with what it had', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { layers } = putImage(registry, 'app', [large]);
  const layer = `/v2/app/blobs/${layers[0]?.digest}`;
  const stop = new AbortController();
  registry.answer = ({ url }, response) => {
    if (url !== layer) return false;
    response.writeHead(200, { 'content-length': layers[0]?.size }).write(registry.content.get(layer)?.body.subarray(0, 1 << 20));
    return true;
  };
  const progress: PullOptions['progress'] = ({ status, progressDetail }) => {
    if (status === 'Downloading' && (progressDetail?.current ?? 0) > 0) stop.abort(new Error('enough'));
  };
  expect(await rejection(pullFrom(core, registry, { progress, signal: stop.signal }))).toBe('undefined: enough');
  registry.answer = () => false;
  await pullFrom(core, registry);
  expect(registry.requests.at(-1)).toMatch(/^GET \/v2\/app\/blobs\/sha256:[0-9a-f]{64} bytes=[1-9]\d*-\d+$/);
});

test('a layer with Content-Encoding is hashed as it is on the wire', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const { layers } = putImage(registry, 'app', [base]);
  const key = `/v2/app/blobs/${layers[0]?.digest}`;
  const entry = registry.content.get(key);
  if (entry) registry.content.set(key, { ...entry, headers: { 'content-encoding': 'gzip' } });
  expect((await pullFrom(core, registry)).isNew).toBe(true);
});

const wrong = `sha256:${'0'.repeat(64)}`;
type Break = (registry: TestRegistry, image: ReturnType<typeof putImage>) => void;
const replaceBlob =
  (pick: (image: ReturnType<typeof putImage>) => string | undefined, change: (body: Uint8Array) => Uint8Array): Break =>
  (registry, image) => {
    const key = `/v2/app/blobs/${pick(image)}`;
    const entry = registry.content.get(key);
    if (entry) registry.content.set(key, { ...entry, body: change(entry.body) });
  };
const latest = '/v2/app/manifests/latest';
const replaceManifest =
  (body: string | undefined, headers: Readonly<Record<string, string>> = {}, type: string = mediaTypes.ociManifest): Break =>
  ({ content }) => {
    content.set(latest, { type, headers, body: body === undefined ? (content.get(latest)?.body ?? Buffer.alloc(0)) : Buffer.from(body) });
  };

test.each<[string, TestImageChange, Break, RegExp]>([
  [
    'other bytes',
    {},
    replaceBlob(
      ({ layers }) => layers[0]?.digest,
      (body) => Buffer.from(body).fill(0, 20, 21),
    ),
    /^(DataLoss|FailedPrecondition): .*sha256:[0-9a-f]{64}/,
  ],
  [
    'trailing bytes',
    {},
    replaceBlob(
      ({ layers }) => layers[0]?.digest,
      (body) => Buffer.concat([body, Buffer.from('x')]),
    ),
    /^DataLoss: blob \S+: the registry sends more than its size of \d+ bytes$/,
  ],
  [
    'a byte too few',
    {},
    replaceBlob(
      ({ layers }) => layers[0]?.digest,
      (body) => body.subarray(0, -1),
    ),
    /^DataLoss: blob \S+: the registry ended it after \d+ bytes, its size is \d+$/,
  ],
  [
    'another diff id',
    { config: (config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [wrong] } }) },
    () => undefined,
    /^DataLoss: layer \S+: content has diff id \S+, the image's configuration says sha256:0{64}$/,
  ],
  [
    'a diff id too many',
    { config: (config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [wrong, wrong] } }) },
    () => undefined,
    /^InvalidArgument: manifest \S+ has 1 layers, its configuration 2 diff ids$/,
  ],
  [
    'another configuration',
    {},
    replaceBlob(
      ({ config }) => config.digest,
      (body) => Buffer.from(body).fill('x', 0, 1),
    ),
    /^FailedPrecondition: unexpected commit digest \S+, expected \S+$/,
  ],
  [
    'a layer that is none',
    { manifest: (manifest) => ({ ...manifest, layers: (manifest['layers'] as object[]).map((layer) => ({ ...layer, mediaType: 'text/plain' })) }) },
    () => undefined,
    /^InvalidArgument: layer \S+: media type "text\/plain" is not one of a layer$/,
  ],
  [
    'both manifest and index',
    { manifest: (manifest) => ({ ...manifest, manifests: [] }) },
    () => undefined,
    /^InvalidArgument: manifest app:latest: it is both a manifest and an index$/,
  ],
  [
    'another digest header',
    {},
    replaceManifest(undefined, { 'docker-content-digest': wrong }),
    /^DataLoss: manifest app:latest: content has digest \S+, not sha256:0{64}$/,
  ],
  [
    'a path as digest header',
    {},
    replaceManifest(undefined, { 'docker-content-digest': 'sha256:../../x' }),
    /^DataLoss: manifest app:latest: the registry names "sha256:..\/..\/x" as its digest$/,
  ],
  ['a manifest of 5 MiB', {}, replaceManifest(' '.repeat(5 << 20)), /^OutOfRange: manifest app:latest is larger than 4194304 bytes$/],
  ['no JSON', {}, replaceManifest('<html>'), /^InvalidArgument: manifest app:latest is not valid JSON/],
  [
    'no manifest',
    {},
    ({ content }) => content.delete(latest),
    /^NotFound: manifest {2}unknown \(127.0.0.1:\d+ answered 404 for \/v2\/app\/manifests\/latest\)$/,
  ],
  [
    'endless redirects',
    {},
    (registry) => {
      registry.answer = (_request, response) => Boolean(response.writeHead(307, { location: '/v2/again' }).end());
    },
    /^Unavailable: 127.0.0.1:\d+: more than 10 redirects$/,
  ],
  [
    'a redirect to a file',
    {},
    (registry) => {
      registry.answer = ({ url }, response) => url !== '/v2/' && Boolean(response.writeHead(307, { location: 'file:///etc/passwd' }).end());
    },
    /^Unavailable: 127.0.0.1:\d+ redirects to "file:\/\/\/etc\/passwd": not an https address$/,
  ],
  [
    'silence',
    {},
    (registry) => {
      registry.answer = ({ url }) => url?.startsWith('/v2/app/blobs/') ?? false;
    },
    /^DeadlineExceeded: 127.0.0.1:\d+ sent nothing for 300 ms$/,
  ],
  [
    'a server error',
    {},
    (registry) => {
      registry.answer = ({ url }, response) => url === latest && Boolean(response.writeHead(503).end('busy'));
    },
    /^Unavailable: 127.0.0.1:\d+ answered 503 for \/v2\/app\/manifests\/latest$/,
  ],
])('a registry that sends %s: a clear error, and nothing is kept', async (_name, change, damage, message) => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  damage(registry, putImage(registry, 'app', [base], change));
  expect(await rejection(pullFrom(core, registry, {}, { idleTimeoutMs: 300 }))).toMatch(message);
  expect(await kept(core)).toEqual([]);
});

test('a pull that is cancelled after some of its layers goes on with those, even if garbage was collected meanwhile', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const image = putImage(registry, 'app', [base, large]);
  const [small, big] = image.layers.map(({ digest }) => digest);
  const cancel = new AbortController();
  const stored = Promise.withResolvers<void>();
  registry.answer = (request, response) => {
    if (!request.url?.endsWith(big ?? '')) return false;
    // The small one is complete before the large one breaks off.
    void stored.promise.then(() => {
      cancel.abort();
      response.destroy();
    });
    return true;
  };
  const progress: PullOptions['progress'] = ({ id, status }) => {
    if (small?.startsWith(`sha256:${id}`) && status === 'Pull complete') stored.resolve();
  };
  expect(await rejection(pullFrom(core, registry, { signal: cancel.signal, progress }))).toContain('abort');
  expect((await core.collectGarbage({ activeSnapshots: true })).blobs).toEqual([]);
  registry.answer = () => false;
  registry.requests.length = 0;
  await pullFrom(core, registry);
  expect(registry.requests.filter((request) => request.includes('/blobs/'))).toEqual([`GET /v2/app/blobs/${big}`]);
  await core.images.delete(`${registry.host}/app:latest`);
  expect(await kept(core)).toEqual([]);
});

test('a layer whose blob was found damaged is brought again, though it is unpacked', async () => {
  await using registry = await startTestRegistry();
  using core = openTestCore();
  const image = putImage(registry, 'app', [base, top]);
  await pullFrom(core, registry);
  const { digest, size } = image.layers[0] ?? { digest: '', size: 0 };
  const blob = path.join(core.root, 'content/blobs/sha256', digest.slice(7));
  const bytes = readFileSync(blob);
  bytes[size >> 1] = (bytes[size >> 1] ?? 0) ^ 1;
  writeFileSync(blob, bytes);
  expect(await rejection(core.content.readAll(digest, size))).toStartWith(`DataLoss: blob ${digest} is damaged`);
  expect((await pullFrom(core, registry)).isNew).toBe(false);
  expect(digestOf(await core.content.readAll(digest, size))).toBe(digest);
});
