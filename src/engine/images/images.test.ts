import { expect, test } from 'bun:test';
import { StrakeError } from '../../base/index.ts';
import type { PullImage } from '../../distribution/index.ts';
import { chainIds, digestOf, parseReference } from '../../oci/index.ts';
import { parseFilters } from '../server/query.ts';
import { createFixture, type Fixture } from './fakes.test-support.ts';
import { deleteImage, filterImages, history, type ImageUser, inspect, parseUntil, pruneImages, pullImage, summarize } from './index.ts';
import { formatProgress } from './progress.ts';

const nobody = () => [];
const busybox = 'docker.io/library/busybox';

async function withBusybox() {
  const fixture = createFixture();
  const target = fixture.addContent(['one', 'two'], {
    created: '2024-05-06T07:08:09Z',
    config: { Cmd: ['sh'], Labels: { tier: 'front' }, Env: null, Healthcheck: 'nonsense' },
    history: [
      { created_by: 'ADD one', created: '2024-05-06T07:08:09Z' },
      { created_by: 'ENV x', empty_layer: true },
      { created_by: 'ADD two', comment: 7 },
    ],
  });
  await fixture.images.assign(`${busybox}:1`, target);
  await fixture.images.assign(`${busybox}@${target.digest}`, target);
  const { id } = await fixture.images.get('busybox:1');
  return { ...fixture, target, id };
}

test('an image is found by name, digest, id and the beginning of an id', async () => {
  const { images, target, id } = await withBusybox();
  const hex = id.slice('sha256:'.length);
  for (const name of [
    'busybox:1',
    'docker.io/library/busybox:1',
    'index.docker.io/busybox:1',
    `busybox@${target.digest}`,
    `busybox:9@${target.digest}`,
    id,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 4)}`,
  ])
    expect((await images.get(name)).id).toBe(id);
  await expect(images.get('busybox')).rejects.toMatchObject({ code: 'NotFound', message: 'No such image: busybox:latest' });
  await expect(images.get('Not A Name')).rejects.toMatchObject({ code: 'NotFound', message: 'No such image: Not A Name' });
});

test('summary, inspect and history', async () => {
  const { images, target, id } = await withBusybox();
  const image = await images.get('busybox:1');
  expect(await summarize(images, image, 2)).toEqual({
    Containers: 2,
    Created: 1714979289,
    Id: id,
    Labels: { tier: 'front' },
    ParentId: '',
    RepoDigests: [`busybox@${target.digest}`],
    RepoTags: ['busybox:1'],
    SharedSize: -1,
    Size: 200,
  });
  expect(await inspect(images, image)).toMatchObject({
    Id: id,
    Created: '2024-05-06T07:08:09Z',
    Architecture: 'amd64',
    Os: 'linux',
    Size: 200,
    RootFS: { Type: 'layers', Layers: [digestOf('one'), digestOf('two')] },
  });
  expect((await inspect(images, image)).Config).toEqual({ Cmd: ['sh'], Labels: { tier: 'front' } });
  expect((await history(images, image)).map(({ Id, CreatedBy, Size, Comment, Tags }) => [Id, CreatedBy, Size, Comment, Tags])).toEqual([
    [id, 'ADD two', 100, '', ['busybox:1']],
    ['<missing>', 'ENV x', 0, '', null],
    ['<missing>', 'ADD one', 100, '', null],
  ]);
});

test('a tag that moves leaves the image nameless, but there', async () => {
  const { images, addContent, names, id, events } = await withBusybox();
  await images.assign('docker.io/library/a:1', addContent(['a']));
  await images.tag(await images.get(id), parseReference('a:1'));
  expect(events.at(-1)).toBe('tag a:1');
  expect((await names()).filter((name) => name.startsWith('dangling@')).length).toBe(1);
  expect((await images.list()).map(({ tags }) => tags).toSorted()).toEqual([[], ['docker.io/library/a:1', `${busybox}:1`]]);
  expect((await filterImages(images, await images.list(), parseFilters('{"dangling":["true"]}'), new Date())).length).toBe(1);
});

test('removing the last tag removes the digests, the image, its layers and its blobs', async () => {
  const { images, id, target, blobs, snapshots, names, events } = await withBusybox();
  const [lower, upper] = chainIds([digestOf('one'), digestOf('two')]);
  expect(await deleteImage(images, 'busybox:1', { force: false, users: nobody })).toEqual([
    { Untagged: 'busybox:1' },
    { Untagged: `busybox@${target.digest}` },
    { Deleted: id },
    { Deleted: upper as string },
    { Deleted: lower as string },
  ]);
  expect([blobs.size, snapshots.size, await names()]).toEqual([0, 0, []]);
  expect(events).toEqual([`untag ${id}`, `untag ${id}`, `delete ${id}`]);
});

test('what another image needs stays', async () => {
  const { images, addContent, blobs, snapshots } = await withBusybox();
  await images.assign('docker.io/library/other:latest', addContent(['one', 'three']));
  await deleteImage(images, 'busybox:1', { force: false, users: nobody });
  expect([...snapshots.keys()]).toEqual([...chainIds([digestOf('one'), digestOf('three')])]);
  expect(blobs.has(digestOf('one'))).toBe(true);
  expect(blobs.has(digestOf('two'))).toBe(false);
});

const stopped: ImageUser = { id: 'c0ffee0123456789', running: false };
const running: ImageUser = { ...stopped, running: true };
const short = (id: string) => id.slice(7, 19);

test.each([
  [
    'a name in use',
    'busybox:1',
    [stopped],
    false,
    (id: string) =>
      `conflict: unable to remove repository reference "busybox:1" (must force) - container c0ffee012345 is using its referenced image ${short(id)}`,
  ],
  [
    'an id in use',
    'ID',
    [stopped],
    false,
    (id: string) => `conflict: unable to delete ${short(id)} (must be forced) - image is being used by stopped container c0ffee012345`,
  ],
  [
    'an id that runs',
    'ID',
    [running],
    true,
    (id: string) => `conflict: unable to delete ${short(id)} (cannot be forced) - image is being used by running container c0ffee012345`,
  ],
] as const)('%s stays', async (_case, name, users, force, message) => {
  const { images, id, blobs } = await withBusybox();
  const before = blobs.size;
  await expect(deleteImage(images, name === 'ID' ? id : name, { force, users: () => users })).rejects.toMatchObject({
    code: 'FailedPrecondition',
    message: message(id),
  });
  expect(blobs.size).toBe(before);
});

test('forcing the name off a running image keeps the image', async () => {
  const { images, id, target, names } = await withBusybox();
  expect(await deleteImage(images, 'busybox:1', { force: true, users: () => [running] })).toEqual([
    { Untagged: 'busybox:1' },
    { Untagged: `busybox@${target.digest}` },
  ]);
  expect(await names()).toEqual([`dangling@${target.digest}`]);
  expect((await images.get(id)).tags).toEqual([]);
});

test('one name of several goes alone; an id of several repositories needs force', async () => {
  const { images, id } = await withBusybox();
  await images.tag(await images.get(id), parseReference('mine/app:2'));
  await expect(deleteImage(images, id, { force: false, users: nobody })).rejects.toMatchObject({
    message: `conflict: unable to delete ${short(id)} (must be forced) - image is referenced in multiple repositories`,
  });
  expect(await deleteImage(images, 'mine/app:2', { force: false, users: nobody })).toEqual([{ Untagged: 'mine/app:2' }]);
  expect((await images.get(id)).tags).toEqual([`${busybox}:1`]);
});

test('prune removes what nobody uses', async () => {
  const { images, id, addContent } = await withBusybox();
  const used = addContent(['u']);
  await images.assign('docker.io/library/used:latest', used);
  const { id: usedId } = await images.get('used');
  const options = { wanted: () => true, users: (imageId: string) => (imageId === usedId ? [stopped] : []) };
  expect(await pruneImages(images, { ...options, danglingOnly: true })).toEqual({ items: [], sizeBytes: 0 });
  const { items, sizeBytes } = await pruneImages(images, { ...options, danglingOnly: false });
  expect([items.find((item) => 'Deleted' in item), sizeBytes]).toEqual([{ Deleted: id }, 200]);
  expect((await images.list()).map(({ tags }) => tags)).toEqual([['docker.io/library/used:latest']]);
});

test.each([
  ['{"reference":["busy*"]}', 1],
  ['{"reference":["busybox:1"]}', 1],
  ['{"reference":["*/busybox"]}', 0],
  ['{"reference":["nginx"]}', 0],
  ['{"label":["tier=front"]}', 1],
  ['{"label":["tier=back"]}', 0],
  ['{"dangling":["true"]}', 0],
  ['{"before":["busybox:1"]}', 0],
  ['{"until":["1714979290"]}', 1],
  ['{"until":["2024-05-06T07:08:09Z"]}', 0],
])('filters %s', async (filters, count) => {
  const { images } = await withBusybox();
  expect((await filterImages(images, await images.list(), parseFilters(filters), new Date())).length).toBe(count);
});

test('until', () => {
  const now = new Date(1_000_000_000);
  expect(['24h', '1h30m', '12', '1970-01-02T00:00:00Z'].map((text) => parseUntil(text, now))).toEqual([913_600, 994_600, 12, 86_400]);
  expect(() => parseUntil('soon', now)).toThrow("invalid filter 'until=[soon]'");
});

test('pull tells Docker’s lines and gives the image its digest beside its tag', async () => {
  const { images, addContent, names, events } = createFixture();
  const target = addContent(['layer']);
  const asked: unknown[] = [];
  const pullImageOf: PullImage = async ({ reference, progress = () => {} }) => {
    asked.push(reference);
    progress({ id: '1', status: 'Pulling from busybox' });
    progress({ id: 'abc', status: 'Pulling fs layer', progressDetail: { current: 0, total: 0 } });
    progress({ id: 'abc', status: 'Downloading', progressDetail: { current: 1, total: 5 } });
    progress({ id: 'abc', status: 'Downloading', progressDetail: { current: 5, total: 5 } });
    progress({ status: `Digest: ${target.digest}` });
    const record = await images.options.store.put({ name: reference, target });
    return { record, isNew: true } as Awaited<ReturnType<PullImage>>;
  };
  const signal = new AbortController().signal;
  expect(await Array.fromAsync(pullImage(images, pullImageOf, parseReference('busybox:1'), { signal }))).toEqual([
    { status: 'Pulling from library/busybox', id: '1' },
    { status: 'Pulling fs layer', progressDetail: {}, id: 'abc' },
    { status: 'Downloading', progressDetail: { current: 5, total: 5 }, progress: `[${'='.repeat(50)}]        5B/5B`, id: 'abc' },
    { status: `Digest: ${target.digest}` },
  ]);
  expect([asked, await names()]).toEqual([[`${busybox}:1`], [`${busybox}:1`, `${busybox}@${target.digest}`]]);
  expect(events).toEqual(['pull busybox']);
});

test.each([
  ['Unauthenticated', 'NotFound', "pull access denied for busybox, repository does not exist or may require 'docker login': denied: no"],
  ['NotFound', 'NotFound', 'manifest for busybox:1 not found: manifest unknown: no'],
  ['DataLoss', 'DataLoss', 'no'],
] as const)('a pull that fails with %s', async (thrown, code, message) => {
  const pull: PullImage = () => Promise.reject(new StrakeError(thrown, 'no'));
  const pulling = pullImage(createFixture().images, pull, parseReference('busybox:1'), { signal: new AbortController().signal });
  await expect(Array.fromAsync(pulling)).rejects.toMatchObject({ code, message });
});

test('content that running work holds stays', async () => {
  const { images, blobs, leases, target } = await withBusybox();
  const lease = leases.acquire();
  lease.add(target.digest);
  await deleteImage(images, 'busybox:1', { force: false, users: nobody });
  expect([...blobs.keys()]).toEqual([target.digest]);
});

test('a built-in image is made at the first use of its name', async () => {
  const made: string[] = [];
  const fixture: Fixture = createFixture({
    create: async (name) => {
      if (name !== 'docker.io/library/hello:latest') return undefined;
      made.push(name);
      return await fixture.images.options.store.put({ name, target: fixture.addContent(['hello']) });
    },
  });
  for (const name of ['hello', 'hello:latest', 'docker.io/library/hello'])
    expect((await fixture.images.get(name)).tags).toEqual(['docker.io/library/hello:latest']);
  expect(made.length).toBe(1);
  await expect(fixture.images.get('hello:2')).rejects.toMatchObject({ code: 'NotFound' });
});

test.each([
  [0, 100, `[>${' '.repeat(49)}]        0B/100B`],
  [1_234_567, 2_469_134, `[${'='.repeat(25)}>${' '.repeat(24)}]   1.235MB/2.469MB`],
  [10, 0, '10B'],
])('progress %d of %d', (current, total, text) => {
  expect(formatProgress(current, total)).toBe(text);
});
