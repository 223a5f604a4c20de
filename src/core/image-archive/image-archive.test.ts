import { expect, test } from 'bun:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Descriptor, digestOf, mediaTypes } from '../../oci/index.ts';
import type { ContentStore } from '../content/content.ts';
import { TarReader } from '../diff/tar/reader.ts';
import { type TarFile, writeTar } from '../diff/tar/writer.ts';
import { openTestCore, rejection } from '../fixtures.ts';
import { putBlob } from '../images/put-blob.ts';
import { loadArchive } from './load-archive.ts';
import { saveArchive } from './save-archive.ts';

class Place implements Disposable {
  readonly #core = openTestCore();
  readonly content: ContentStore = this.#core.content;
  readonly leases = this.#core.leases;

  async put(mediaType: string, value: object | Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<Descriptor> {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
    const descriptor = { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length };
    await putBlob(this.content, descriptor, bytes);
    return descriptor;
  }

  async image(layers: readonly Uint8Array[], algorithm: 'sha256' | 'sha512' = 'sha256', architecture = 'amd64'): Promise<Descriptor> {
    const config = await this.put(
      mediaTypes.ociConfig,
      { architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) } },
      algorithm,
    );
    const descriptors: Descriptor[] = [];
    for (const layer of layers) descriptors.push(await this.put(mediaTypes.ociLayerGzip, gzipSync(layer), algorithm));
    return await this.put(mediaTypes.ociManifest, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors }, algorithm);
  }

  async load(...chunks: readonly Uint8Array[]) {
    return await loadArchive(streamOf(chunks), { content: this.content, lease: this.leases.acquire() });
  }

  async digests(): Promise<readonly string[]> {
    return (await Array.fromAsync(this.content.walk())).map(({ digest }) => digest);
  }

  [Symbol.dispose](): void {
    this.#core[Symbol.dispose]();
  }
}

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}

const layer = (name: string) => writeTar([{ name, type: 'file', mode: 0o644, content: Buffer.from(name) }]);
const name = 'docker.io/library/app:1';
const file = (entry: string, value: object | Uint8Array): TarFile => ({
  name: entry,
  type: 'file',
  mode: 0o644,
  content: value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value)),
});

function namesIn(archive: Uint8Array): readonly string[] {
  const names: string[] = [];
  const reader = new TarReader({ entry: (entry) => void names.push(entry.name), data: () => {} }, { entries: 100, headerBytes: 1 << 20 });
  reader.push(archive);
  reader.end();
  return names;
}

test.each(['sha256', 'sha512'] as const)('what is saved is loaded, with every digest: %s', async (algorithm) => {
  using from = new Place();
  using to = new Place();
  const target = await from.image([layer('one'), layer('two')], algorithm);
  const other = await from.image([layer('one')], algorithm);
  const images = [
    { target, names: [name, 'ghcr.io/a/b:2'] },
    { target: other, names: [] },
  ];
  const archive = await bytesOf(await saveArchive({ content: from.content, images }));
  expect(await bytesOf(await saveArchive({ content: from.content, images }))).toEqual(archive);
  expect(await to.load(archive)).toEqual(images);
  expect(await to.digests()).toEqual(await from.digests());
  // The shared layer is there once: 2 manifests, 2 configurations, 2 layers.
  expect(namesIn(archive).filter((entry) => /^blobs\/sha/.test(entry) && !entry.endsWith('/')).length).toBe(6);
  expect(await to.load(archive.subarray(0, 700), archive.subarray(700))).toEqual(images);
});

test('docker’s manifest beside it tells the same', async () => {
  using from = new Place();
  const target = await from.image([layer('one')]);
  const archive = await bytesOf(await saveArchive({ content: from.content, images: [{ target, names: [name] }] }));
  expect(namesIn(archive).slice(0, 5)).toEqual(['blobs/', 'blobs/sha256/', 'oci-layout', 'index.json', 'manifest.json']);
  const [item] = JSON.parse(documentIn(archive, 'manifest.json')) as { readonly Config: string; readonly RepoTags: string[]; readonly Layers: string[] }[];
  expect(item?.RepoTags).toEqual(['app:1']);
  expect(namesIn(archive)).toEqual(expect.arrayContaining([item?.Config, ...(item?.Layers ?? [])]));
});

function documentIn(archive: Uint8Array, wanted: string): string {
  const parts: Buffer[] = [];
  const names: string[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => void names.push(entry.name),
      data(bytes) {
        if (names.at(-1) === wanted) parts.push(Buffer.from(bytes));
      },
    },
    { entries: 100, headerBytes: 1 << 20 },
  );
  reader.push(archive);
  return Buffer.concat(parts).toString();
}

test('of an index, the platforms that are here', async () => {
  using from = new Place();
  using to = new Place();
  const amd64 = await from.image([layer('one')]);
  const arm64 = await from.image([layer('two')], 'sha256', 'arm64');
  const absent = { mediaType: mediaTypes.ociManifest, digest: digestOf('absent'), size: 6, platform: { os: 'linux', architecture: 's390x' } };
  const manifests = [{ ...amd64, platform: { os: 'linux', architecture: 'amd64' } }, { ...arm64, platform: { os: 'linux', architecture: 'arm64' } }, absent];
  const target = await from.put(mediaTypes.ociIndex, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const archive = await bytesOf(await saveArchive({ content: from.content, images: [{ target, names: [name] }] }));
  expect(await to.load(archive)).toEqual([{ target, names: [name] }]);
  expect(await to.digests()).toEqual(await from.digests());
  const platform = { os: 'linux', architecture: 'arm64' };
  expect(await to.load(await bytesOf(await saveArchive({ content: from.content, images: [{ target, names: [name] }], platform })))).toEqual([
    { target: arm64, names: [name] },
  ]);
  expect(await rejection(saveArchive({ content: from.content, images: [{ target, names: [] }], platform: { os: 'linux', architecture: 'riscv64' } }))).toBe(
    'NotFound: no matching manifest for linux/riscv64 in the manifest list entries',
  );
});

test('an image of which a blob is gone is refused before the first byte', async () => {
  using from = new Place();
  const target = await from.image([layer('one')]);
  const gone = digestOf(gzipSync(layer('one')));
  await from.content.delete(gone);
  expect(await rejection(saveArchive({ content: from.content, images: [{ target, names: [name] }] }))).toBe(`NotFound: content digest ${gone}: not found`);
});

/** As docker before 25 and podman write: layers by any name, links among them. */
function dockerArchive(pack: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Uint8Array {
  const diffIds = [digestOf(layer('one')), digestOf(layer('two'))];
  return writeTar([
    file('one.tar', pack(layer('one'))),
    { name: 'f00/layer.tar', type: 'symlink', mode: 0o777, linkName: '../one.tar' },
    file('f00/VERSION', Buffer.from('1.0')),
    file('f00/json', {}),
    file('./ba4/layer.tar', pack(layer('two'))),
    file('repositories', {}),
    file('config.json', { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }),
    file('manifest.json', [{ Config: 'config.json', RepoTags: ['app:1', 'localhost:5000/b'], Layers: ['f00/layer.tar', 'ba4/layer.tar'] }]),
  ]);
}

test.each([
  ['plain', mediaTypes.ociLayer, (bytes: Uint8Array) => bytes],
  ['gzip', mediaTypes.ociLayerGzip, gzipSync],
  ['zstd', mediaTypes.ociLayerZstd, zstdCompressSync],
] as const)('docker’s own archives, layers %s', async (_case, mediaType, pack) => {
  using to = new Place();
  const [image] = await to.load(pack(dockerArchive(pack)));
  expect(image?.names).toEqual([name, 'localhost:5000/b:latest']);
  const manifest = JSON.parse(Buffer.from(await to.content.readAll(image?.target.digest ?? '', 1 << 20)).toString());
  expect(manifest.layers).toEqual([layer('one'), layer('two')].map((bytes) => ({ mediaType, digest: digestOf(pack(bytes)), size: pack(bytes).length })));
  // Two layers, configuration and manifest; nothing of what was only there for docker of long ago.
  expect((await to.digests()).length).toBe(4);
});

test('docker 25.0’s manifests without layers are made up for by docker’s own', async () => {
  using to = new Place();
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer('one'))] } }));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
      layers: [],
    }),
  );
  const blob = (bytes: Uint8Array) => `blobs/${digestOf(bytes).replace(':', '/')}`;
  const manifests = [{ mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length }];
  const [image] = await to.load(
    writeTar([
      ...[config, manifest, layer('one')].map((bytes) => file(blob(bytes), bytes)),
      file('oci-layout', { imageLayoutVersion: '1.0.0' }),
      file('index.json', { schemaVersion: 2, manifests }),
      file('manifest.json', [{ Config: blob(config), RepoTags: ['app:1'], Layers: [blob(layer('one'))] }]),
    ]),
  );
  expect([image?.names, image?.target.digest === digestOf(manifest)]).toEqual([[name], false]);
});

const badBlob = file(`blobs/sha256/${digestOf('right').slice(7)}`, Buffer.from('wrong'));
const layout = file('oci-layout', { imageLayoutVersion: '1.0.0' });
test.each([
  [
    'nothing of images',
    writeTar([file('README', Buffer.from('x'))]),
    /^InvalidArgument: archive is not one of images: it has neither index.json with oci-layout nor manifest.json$/,
  ],
  [
    'a blob that is not what its name says',
    writeTar([badBlob]),
    /^DataLoss: blobs\/sha256\/[0-9a-f]{64} of the archive is damaged: unexpected commit digest sha256:/,
  ],
  [
    'a layout of tomorrow',
    writeTar([file('oci-layout', { imageLayoutVersion: '2.0.0' }), file('index.json', { schemaVersion: 2, manifests: [] })]),
    /^InvalidArgument: oci-layout of the archive has version "2.0.0", 1.0.0 is supported$/,
  ],
  [
    'an index that names what is not there',
    writeTar([layout, file('index.json', { schemaVersion: 2, manifests: [{ mediaType: mediaTypes.ociManifest, digest: digestOf('x'), size: 1 }] })]),
    /^InvalidArgument: archive has no blob sha256:[0-9a-f]+, which its index.json names$/,
  ],
  [
    'a manifest that names what is not there',
    writeTar([file('manifest.json', [{ Config: 'c.json', RepoTags: null, Layers: [] }])]),
    /^InvalidArgument: archive has no file "c.json", which its manifest.json names$/,
  ],
  ['a manifest that is no list', writeTar([file('manifest.json', { Config: 7 })]), /^InvalidArgument: manifest.json of the archive is not a list of images$/],
  [
    'links in a circle',
    writeTar([
      { name: 'a', type: 'symlink', mode: 0o777, linkName: 'b' },
      { name: 'b', type: 'symlink', mode: 0o777, linkName: 'a' },
      file('manifest.json', [{ Config: 'a', RepoTags: null, Layers: [] }]),
    ]),
    /^InvalidArgument: archive has no file "a"/,
  ],
  [
    'a name that is none',
    writeTar([file('c', { rootfs: { type: 'layers', diff_ids: [] } }), file('manifest.json', [{ Config: 'c', RepoTags: ['NO'], Layers: [] }])]),
    /^InvalidArgument: archive has an image with the invalid name "NO"$/,
  ],
  [
    'fewer layers than diff ids',
    writeTar([file('c', { rootfs: { type: 'layers', diff_ids: [digestOf('x')] } }), file('manifest.json', [{ Config: 'c', RepoTags: [], Layers: [] }])]),
    /^InvalidArgument: manifest c has 0 layers, its configuration 1 diff ids$/,
  ],
  ['a cut archive', dockerArchive().subarray(0, 1000), /^DataLoss: archive is truncated/],
  ['bzip2', Buffer.from('BZh91AY'), /^Unimplemented: bzip2 is not supported$/],
  ['damaged gzip', Buffer.concat([gzipSync(dockerArchive()).subarray(0, 300), Buffer.alloc(300)]), /^DataLoss: gzip data is damaged/],
] as const)('refused: %s', async (_case, archive, message) => {
  using to = new Place();
  expect(await rejection(to.load(archive))).toMatch(message);
  expect(await to.content.ingests()).toEqual([]);
});

test('an archive that unpacks to far more than it is, is refused before it fills the disk', async () => {
  using to = new Place();
  const bomb = gzipSync(writeTar([file('zeros', Buffer.alloc(4 << 20))]));
  const load = loadArchive(streamOf([bomb]), {
    content: to.content,
    lease: to.leases.acquire(),
    limits: { bytes: 1 << 30, expansion: 100, expansionFreeBytes: 1 << 20 },
  });
  expect(await rejection(load)).toMatch(
    /^ResourceExhausted: decompressed it exceeds a limit: \d+ bytes out of \d+, more than 100 times as many \(--max-layer-expansion\)$/,
  );
  expect(await to.content.ingests()).toEqual([]);
});
