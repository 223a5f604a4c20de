// Images that are made here, on the real stores: load, import, commit, push; whatever fails leaves nothing.
import { expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { silentLogger } from '../../base/index.ts';
import { openTestCore, rejection, type TestCore } from '../../core/fixtures.ts';
import { type TarFile, writeTar } from '../../core/index.ts';
import type { PushImage } from '../../distribution/index.ts';
import { digestOf, type Manifest, mediaTypes, parseReference } from '../../oci/index.ts';
import { type CommitOptions, commitImage } from './commit-image.ts';
import { Images } from './images.ts';
import { importRoot } from './import-root.ts';
import { loadImages } from './load-images.ts';
import { pushImage } from './push-image.ts';
import { saveImages } from './save-images.ts';

const signal = new AbortController().signal;

function openWork(core: TestCore) {
  const events: string[] = [];
  const images = new Images({
    ...core,
    store: core.images,
    events: { publish: ({ action, id }) => void events.push(`${action} ${id}`) },
    builtins: { create: async () => undefined },
    log: silentLogger,
  });
  return { images, unpacker: core.unpacker, leases: core.leases, layerLimits: core.layerLimits, comparer: core.comparer, events };
}

async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const file = (name: string, content: string | Uint8Array): TarFile => ({ name, type: 'file', mode: 0o644, content: Buffer.from(content) });
const root = writeTar([file('f', 'content')]);
const importOptions = { reference: parseReference('app:1'), message: '', from: '-', changes: ['CMD ["x"]'], signal };

async function importApp(core: TestCore) {
  const work = openWork(core);
  await Array.fromAsync(importRoot(work, streamOf(root), importOptions));
  return { ...work, image: await work.images.get('app:1') };
}

async function left(core: TestCore) {
  const blobs = (await Array.fromAsync(core.content.walk())).map(({ digest }) => digest);
  const snapshots = (await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key);
  return [...blobs, ...snapshots, ...(await core.content.ingests()).map(({ ref }) => ref), ...(await core.images.list()).map(({ name }) => name)];
}

test('import: the archive as it is, plain or packed; the history tells where it is from', async () => {
  using core = openTestCore();
  const { image, images, events } = await importApp(core);
  expect(image.config).toMatchObject({ config: { Cmd: ['x'] }, rootfs: { diff_ids: [digestOf(root)] }, history: [{ comment: 'Imported from -' }] });
  const work = openWork(core);
  const [line] = await Array.fromAsync(
    importRoot(work, streamOf(gzipSync(root)), { ...importOptions, reference: undefined, message: 'm', platform: { os: 'linux', architecture: 's390x' } }),
  );
  const nameless = await images.get(line?.status ?? '');
  expect([nameless.tags, nameless.config.architecture, nameless.config.rootfs.diff_ids]).toEqual([[], 's390x', [digestOf(root)]]);
  expect(nameless.manifest.layers[0]).toMatchObject({ mediaType: mediaTypes.ociLayerGzip, digest: digestOf(gzipSync(root)) });
  expect(events).toEqual(['import app:1']);
});

const hostile = writeTar([file('../escape', 'x')]);
test.each([
  [
    'import of a hostile archive',
    (core: TestCore) => Array.fromAsync(importRoot(openWork(core), streamOf(hostile), importOptions)),
    /^InvalidArgument: layer sha256:/,
  ],
  [
    'import with a bad change',
    (core: TestCore) => Array.fromAsync(importRoot(openWork(core), streamOf(root), { ...importOptions, changes: ['RUN x'] })),
    /^InvalidArgument: RUN is not/,
  ],
  [
    'load of a hostile layer',
    (core: TestCore) => Array.fromAsync(loadImages(openWork(core), streamOf(dockerArchive(hostile)), { quiet: true, signal })),
    /^InvalidArgument: layer sha256:/,
  ],
  [
    'load of a layer that is another',
    (core: TestCore) => Array.fromAsync(loadImages(openWork(core), streamOf(dockerArchive(root, digestOf('other'))), { quiet: true, signal })),
    /^DataLoss: content has diff id sha256:[0-9a-f]+, the image's configuration says sha256:/,
  ],
  [
    'load for a platform that is not there',
    (core: TestCore) =>
      Array.fromAsync(loadImages(openWork(core), streamOf(dockerArchive(root)), { quiet: true, platform: { os: 'linux', architecture: 'riscv64' }, signal })),
    /^NotFound: no image of the archive is for platform linux\/riscv64$/,
  ],
] as const)('%s leaves nothing', async (_case, act, message) => {
  using core = openTestCore();
  expect(await rejection(act(core))).toMatch(message);
  expect(await left(core)).toEqual([]);
});

function dockerArchive(layer: Uint8Array, diffId = digestOf(layer)): Uint8Array {
  return writeTar([
    file('layer.tar', layer),
    file('config.json', JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } })),
    file('manifest.json', JSON.stringify([{ Config: 'config.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }])),
  ]);
}

test('a load that is cancelled leaves nothing', async () => {
  using core = openTestCore();
  const stop = new AbortController();
  const archive = dockerArchive(writeTar([file('big', Buffer.alloc(1 << 20, 'x'))]));
  const source = async function* () {
    yield archive.subarray(0, 1 << 19);
    stop.abort(new Error('the client left'));
    yield archive.subarray(1 << 19);
  };
  const loading = Array.fromAsync(loadImages(openWork(core), source(), { quiet: true, signal: stop.signal }));
  expect(await rejection(loading)).toEndWith('the client left');
  expect(await left(core)).toEqual([]);
});

test('what is saved is loaded elsewhere; what had its name becomes nameless', async () => {
  using from = openTestCore();
  using to = openTestCore();
  const { images, image } = await importApp(from);
  const archive = Buffer.concat(await Array.fromAsync(await saveImages(images, ['app'], { signal })));
  const work = openWork(to);
  await Array.fromAsync(importRoot(work, streamOf(writeTar([file('old', 'x')])), importOptions));
  const old = await work.images.get('app:1');
  expect(await Array.fromAsync(loadImages(work, streamOf(archive), { quiet: true, signal }))).toEqual([
    { stream: `The image app:1 already exists, renaming the old one with ID ${old.id} to empty string\n` },
    { stream: 'Loaded image: app:1\n' },
  ]);
  expect((await work.images.get('app:1')).target).toEqual(image.target);
  expect((await work.images.get(old.id)).tags).toEqual([]);
  expect(await rejection(saveImages(images, ['absent'], { signal }))).toBe('NotFound: reference does not exist');
});

const commitOptions: CommitOptions = { reference: parseReference('made:2'), author: '', comment: '', changes: [], config: undefined, signal };

test('a commit is one layer more, over what the container was made from; one without changes adds none', async () => {
  using core = openTestCore();
  const { image, ...work } = await importApp(core);
  const mount = await core.snapshots.prepare('c', image.chainId);
  const below = mount.type === 'overlay' ? { type: 'bind' as const, source: mount.lowers[0] ?? '', readonly: true } : undefined;
  const container = { imageId: image.id, config: { Env: ['A=1'], Cmd: ['run', 'it'], Labels: { a: 'b' } }, mount, below, mountPoints: [] };
  const unchanged = await commitImage(work, container, { ...commitOptions, config: { Env: ['B=2'], User: 'u' }, changes: ['ENV C=3'] });
  const same = await work.images.get(unchanged.imageId);
  expect(same.config).toMatchObject({ config: { Env: ['B=2', 'A=1', 'C=3'], User: 'u', Cmd: ['run', 'it'], Labels: { a: 'b' } }, rootfs: image.config.rootfs });
  expect(same.config.history?.at(-1)).toMatchObject({ created_by: 'run it', empty_layer: true });
  mkdirSync(path.join(mount.type === 'overlay' ? (mount.upper ?? '') : mount.source, 'new'));
  const { imageId, imageName } = await commitImage(work, container, { ...commitOptions, author: 'me', comment: 'why' });
  const made = await work.images.get(imageId);
  expect([imageName, made.tags, made.layers.length, made.config.author]).toEqual(['made:2', ['docker.io/library/made:2'], 2, 'me']);
  expect(made.config.history?.at(-1)).toMatchObject({ created_by: 'run it', author: 'me', comment: 'why' });
  expect(made.manifest.layers[1]?.mediaType).toBe(mediaTypes.ociLayer);
});

test('a push packs what was made here, and what a registry has it leaves', async () => {
  using core = openTestCore();
  const { image, ...work } = await importApp(core);
  const pushed: Manifest[] = [];
  const push: PushImage = async ({ target, progress }) => {
    progress?.({ status: 'The push refers to repository [docker.io/library/app]' });
    pushed.push(JSON.parse(Buffer.from(await core.content.readAll(target.digest, 1 << 20)).toString()) as Manifest);
    return { descriptor: target, isPart: false };
  };
  const first = await Array.fromAsync(pushImage(work, push, parseReference('app:1'), { signal }));
  const [manifest] = pushed;
  expect(manifest?.config.digest).toBe(image.id);
  expect(gunzipSync(await core.content.readAll(manifest?.layers[0]?.digest ?? '', 1 << 20)).equals(Buffer.from(root))).toBe(true);
  const now = await work.images.get('app:1');
  expect([now.id, now.target.digest === image.target.digest, now.pulledAs]).toEqual([image.id, false, [`docker.io/library/app@${now.target.digest}`]]);
  expect(first).toEqual([
    { status: 'The push refers to repository [docker.io/library/app]' },
    { progressDetail: {}, aux: { Tag: '1', Digest: now.target.digest, Size: now.target.size } },
  ]);
  await Array.fromAsync(pushImage(work, push, parseReference('app'), { signal }));
  expect(pushed[1]).toEqual(pushed[0] as Manifest);
  expect(await rejection(Array.fromAsync(pushImage(work, push, parseReference('app:2'), { signal })))).toBe('NotFound: tag does not exist: app:2');
  expect(await rejection(Array.fromAsync(pushImage(work, push, parseReference('absent'), { signal })))).toBe(
    'NotFound: An image does not exist locally with the tag: absent',
  );
});

test('the part of an index that was pushed is told of, and gets no name here', async () => {
  using core = openTestCore();
  const { image, ...work } = await importApp(core);
  const part = { mediaType: mediaTypes.ociManifest, digest: digestOf('part'), size: 4 };
  await work.images.assign(`docker.io/library/app@${image.target.digest}`, image.target);
  const push: PushImage = async () => ({ descriptor: part, isPart: true });
  const lines = await Array.fromAsync(pushImage(work, push, parseReference('app:1'), { signal }));
  expect(lines.map(({ aux }) => aux)).toEqual([
    undefined,
    { manifestPushedInsteadOfIndex: true, originalIndex: image.target, selectedManifest: part },
    { Tag: '1', Digest: part.digest, Size: part.size },
  ]);
  expect((await core.images.list()).map(({ name }) => name)).toEqual(['docker.io/library/app:1', `docker.io/library/app@${image.target.digest}`]);
});
