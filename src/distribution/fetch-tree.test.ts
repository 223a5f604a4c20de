import { expect, test } from 'bun:test';
import { openTestCore, rejection, type TestCore } from '../core/fixtures.ts';
import { type Descriptor, digestOf, formatPlatform, hostPlatform, mediaTypes, type Platform, parseReference, withDefaultTag } from '../oci/index.ts';
import { createTreeFetcher, type FetchTreeOptions } from './fetch-tree.ts';
import { putImage, startTestRegistry, type TestImage, type TestRegistry } from './fixtures-registry.ts';

const file = (name: string, content: string) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(content) });
const arm: Platform = { os: 'linux', architecture: 'arm64' };
const s390: Platform = { os: 'linux', architecture: 's390x' };

/** Puts a document at `app` under its digest, and at `latest` when it is the last. */
function putDocument({ content }: TestRegistry, mediaType: string, value: object): Descriptor {
  const body = Buffer.from(JSON.stringify(value));
  for (const name of [digestOf(body), 'latest']) content.set(`/v2/app/manifests/${name}`, { type: mediaType, body });
  return { mediaType, digest: digestOf(body), size: body.length };
}

function putIndex(registry: TestRegistry, manifests: readonly Descriptor[]): Descriptor {
  return putDocument(registry, mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
}

/** An image of a layer that no other has. */
function putPlatform(registry: TestRegistry, platform: Platform): TestImage & { readonly entry: Descriptor } {
  const image = putImage(registry, 'app', [[file('name', formatPlatform(platform))]], { config: (config) => ({ ...config, ...platform }) });
  return { ...image, entry: { ...image.manifest, platform } };
}

/** One for all: what several want at once comes once. */
const fetcher = createTreeFetcher();

async function fetch(
  core: TestCore,
  registry: TestRegistry,
  options: Partial<FetchTreeOptions> = {},
): Promise<{ readonly target: Descriptor; readonly found: readonly string[] }> {
  using lease = core.leases.acquire();
  const found: string[] = [];
  const { content, unpacker } = core;
  const target = await fetcher({
    content,
    unpacker,
    reference: withDefaultTag(parseReference(`${registry.host}/app`)),
    registry: { retryDelayMs: 1 },
    unpacks: () => false,
    lease,
    onFound: ({ digest }) => found.push(digest),
    ...options,
  });
  return { target, found };
}

async function blobs(core: TestCore): Promise<readonly string[]> {
  return (await Array.fromAsync(core.content.walk())).map(({ digest }) => digest).sort();
}

const digests = (image: TestImage): readonly string[] => [image.manifest, image.config, ...image.layers].map(({ digest }) => digest);

test('of an index what is asked for: platforms, all, the first of a limit, documents of the others', async () => {
  await using registry = await startTestRegistry();
  const [host, other, third] = [hostPlatform(), arm, s390].map((platform) => putPlatform(registry, platform)) as [
    TestImage & { entry: Descriptor },
    TestImage & { entry: Descriptor },
    TestImage & { entry: Descriptor },
  ];
  const index = putIndex(registry, [other.entry, host.entry, third.entry]);
  const documents = (image: TestImage) => digests(image).slice(0, 2);
  for (const [options, wanted] of [
    [{}, [...digests(host), ...digests(other), ...digests(third)]],
    [{ platforms: [hostPlatform()] }, digests(host)],
    [{ platforms: [s390, hostPlatform()] }, [...digests(host), ...digests(third)]],
    [{ platforms: [s390, hostPlatform()], manifestLimit: 1 }, digests(third)],
    [{ platforms: [s390], allMetadata: true }, [...digests(third), ...documents(host), ...documents(other)]],
  ] as const) {
    using core = openTestCore();
    const { target, found } = await fetch(core, registry, options);
    expect(target).toEqual(index);
    expect([...found].sort()).toEqual([index.digest, ...wanted].sort());
    expect(await blobs(core)).toEqual([index.digest, ...wanted].sort());
  }
  using core = openTestCore();
  expect(await rejection(fetch(core, registry, { platforms: [{ os: 'plan9', architecture: 'mips' }] }))).toBe(
    `NotFound: no match for platform in manifest ${index.digest}`,
  );
});

test('snapshots are made of the platforms that are to be unpacked; what is here is not fetched again; where it came from is remembered', async () => {
  await using registry = await startTestRegistry();
  const [host, other] = [putPlatform(registry, hostPlatform()), putPlatform(registry, arm)];
  putIndex(registry, [host.entry, other.entry]);
  using core = openTestCore();
  const unpacks = (platform: Platform) => formatPlatform(platform) === formatPlatform(hostPlatform());
  await fetch(core, registry, { unpacks });
  expect((await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key)).toEqual([...host.diffIds]);
  expect((await core.content.info(host.layers[0]?.digest ?? '')).labels['containerd.io/distribution.source.127.0.0.1']).toBe('app');
  registry.requests.length = 0;
  const states: string[] = [];
  await fetch(core, registry, { unpacks, onEvent: ({ digest }, { state }) => void (digest === other.layers[0]?.digest && states.push(state)) });
  expect(registry.requests.filter((request) => request.includes('/blobs/'))).toEqual([]);
  expect(states).toEqual(['exists']);
});

test('artifacts and indexes of indexes are fetched as they are', async () => {
  await using registry = await startTestRegistry();
  const text = Buffer.from('hello');
  const [blob, empty] = [text, Buffer.from('{}')].map((body) => {
    registry.content.set(`/v2/app/blobs/${digestOf(body)}`, { type: 'text/plain', body });
    return { digest: digestOf(body), size: body.length };
  }) as [{ digest: string; size: number }, { digest: string; size: number }];
  const artifact = putDocument(registry, mediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: 'text/x-note',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...empty },
    layers: [{ mediaType: 'text/plain', ...blob }],
  });
  const inner = putIndex(registry, [artifact]);
  const outer = putIndex(registry, [inner]);
  using core = openTestCore();
  await fetch(core, registry, { unpacks: () => true });
  expect(await blobs(core)).toEqual([blob.digest, empty.digest, artifact.digest, inner.digest, outer.digest].sort());
});

test('an index below too many others is refused', async () => {
  await using registry = await startTestRegistry();
  let top = putPlatform(registry, hostPlatform()).manifest;
  for (let depth = 0; depth < 5; depth++) top = putIndex(registry, [top]);
  using core = openTestCore();
  expect(await rejection(fetch(core, registry))).toMatch(/^ResourceExhausted: index sha256:\S+ is below 4 others$/);
});

test.each<[string, (registry: TestRegistry, image: TestImage) => void, RegExp]>([
  [
    'a layer that is another',
    ({ content }, { layers }) => void content.set(`/v2/app/blobs/${layers[0]?.digest}`, { type: '', body: Buffer.alloc(layers[0]?.size ?? 0) }),
    /^FailedPrecondition: unexpected commit digest /,
  ],
  ['a layer that is gone', ({ content }, { layers }) => void content.delete(`/v2/app/blobs/${layers[0]?.digest}`), /^NotFound: .* answered 404 for /],
  [
    'a manifest of another size',
    (registry, { manifest }) => void putIndex(registry, [{ ...manifest, size: manifest.size + 1 }]),
    /^DataLoss: manifest \S+ has \d+ bytes, the index says \d+$/,
  ],
])('%s: an error, and nothing is kept', async (_name, change, message) => {
  await using registry = await startTestRegistry();
  change(registry, putImage(registry, 'app', [[file('a', 'b')], [file('c', 'd')]]));
  using core = openTestCore();
  expect(await rejection(fetch(core, registry, { unpacks: () => true }))).toMatch(message);
  await core.collectGarbage({ interruptedWork: true });
  expect([await blobs(core), await core.content.ingests(), await Array.fromAsync(core.snapshots.walk())]).toEqual([[], [], []]);
});

test('what two want at once comes once, in two namespaces too', async () => {
  await using registry = await startTestRegistry();
  const { layers, config } = putImage(registry, 'app', [[file('a', 'b')], [file('c', 'd')]]);
  using core = openTestCore();
  const other = core.inNamespace('other');
  await Promise.all([
    fetch(core, registry, { unpacks: () => true }),
    fetch(core, registry),
    fetch(core, registry, { content: other.content, unpacker: other.unpacker }),
  ]);
  for (const { digest } of [config, ...layers]) expect(registry.requests.filter((request) => request.endsWith(digest)).length).toBe(1);
  expect(await blobs(core)).toEqual((await Array.fromAsync(other.content.walk())).map(({ digest }) => digest));
});

test('an abort stops it', async () => {
  await using registry = await startTestRegistry();
  putImage(registry, 'app', [[file('a', 'b')]]);
  const stop = new AbortController();
  registry.answer = (request) => {
    if (!request.url?.includes('/blobs/')) return false;
    stop.abort(new Error('enough'));
    return true;
  };
  using core = openTestCore();
  expect(await rejection(fetch(core, registry, { signal: stop.signal }))).toBe('undefined: enough');
});
