import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { digestOf, hostPlatform, mediaTypes } from '../../oci/index.ts';
import { writeTar } from '../diff/tar/writer.ts';
import { openTestCore, rejection, testContainer } from '../fixtures.ts';
import { importImage } from '../images/import-image.ts';
import { resolveImage } from '../images/resolve-image.ts';
import { SharedJobs } from './shared-jobs.ts';
import { unpackFromContent } from './unpack-image.ts';

const layer = (name: string) => writeTar([{ name, type: 'file', mode: 0o755, content: Buffer.from(name) }]);
const name = 'docker.io/library/hello:latest';

test('an image from memory: stored, unpacked, named; again it changes nothing', async () => {
  using core = openTestCore();
  const record = await importImage(core, { name, config: { config: { Cmd: ['/hello'] } }, layers: [layer('hello'), layer('more')] });
  expect(await importImage(core, { name, config: { config: { Cmd: ['/hello'] } }, layers: [layer('hello'), layer('more')] })).toEqual({
    ...record,
    updatedAt: expect.any(Date) as Date,
  });
  const image = await resolveImage(core.content, record.target, hostPlatform());
  expect([image.config.config?.Cmd, image.config.rootfs.diff_ids]).toEqual([['/hello'], [digestOf(layer('hello')), digestOf(layer('more'))]]);
  const mount = await core.snapshots.prepare('c', image.chainIds.at(-1));
  expect(mount.type === 'overlay' && mount.lowers.map((lower, index) => readFileSync(path.join(lower, ['more', 'hello'][index] ?? ''), 'utf8'))).toEqual([
    'more',
    'hello',
  ]);
});

test('garbage: what images, containers and leases need stays', async () => {
  using core = openTestCore();
  const kept = await importImage(core, { name, config: {}, layers: [layer('a')] });
  const gone = await importImage(core, { name: 'gone', config: {}, layers: [layer('a'), layer('b')] });
  const { chainIds } = await resolveImage(core.content, gone.target, hostPlatform());
  await core.snapshots.prepare('c1', chainIds[1]);
  await core.snapshots.prepare('orphan', undefined);
  await core.containers.create(testContainer('c1'));
  await core.images.delete('gone');
  const keys = async () => (await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key).sort();
  const lease = core.leases.acquire();
  lease.add(gone.target.digest);
  const first = await core.collectGarbage();
  expect([
    first.snapshots,
    first.blobs.includes(digestOf(layer('b'))),
    first.blobs.includes(digestOf(layer('a'))),
    first.blobs.includes(gone.target.digest),
  ]).toEqual([[], false, false, false]);
  expect(await keys()).toEqual([...chainIds, 'c1', 'orphan'].sort());
  lease[Symbol.dispose]();
  await core.containers.delete('c1');
  expect((await core.collectGarbage({ activeSnapshots: true })).snapshots.toSorted()).toEqual(['c1', 'orphan', chainIds[1] ?? ''].toSorted());
  expect(await keys()).toEqual([chainIds[0] ?? '']);
  expect((await core.content.info(kept.target.digest)).digest).toBe(kept.target.digest);
});

test('an image whose snapshots were lost is unpacked again; a failed layer stops the others and leaves nothing', async () => {
  using core = openTestCore();
  const record = await importImage(core, { name, config: {}, layers: [layer('a'), layer('b')] });
  const image = await resolveImage(core.content, record.target, hostPlatform());
  for (const chainId of image.chainIds.toReversed()) await core.snapshots.remove(chainId);
  const broken = {
    ...image,
    config: { ...image.config, rootfs: { type: 'layers' as const, diff_ids: [digestOf(''), image.config.rootfs.diff_ids[1] ?? ''] } },
  };
  expect(await rejection(unpackFromContent(core.unpacker, core.content, broken))).toBe(
    `DataLoss: content has diff id ${digestOf(layer('a'))}, the image's configuration says ${digestOf('')}`,
  );
  expect(await Array.fromAsync(core.snapshots.walk())).toEqual([]);
  await unpackFromContent(core.unpacker, core.content, image);
  expect((await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key).sort()).toEqual([...image.chainIds].sort());
  expect(image.manifest.layers.map(({ mediaType }) => mediaType)).toEqual([mediaTypes.ociLayer, mediaTypes.ociLayer]);
});

test('a shared job runs once, tells all, and is aborted when the last one leaves', async () => {
  const jobs = new SharedJobs<string, number>();
  let starts = 0;
  const begun = Promise.withResolvers<{ signal: AbortSignal; emit: (event: string) => void }>();
  const end = Promise.withResolvers<number>();
  const start = async (context: { signal: AbortSignal; emit: (event: string) => void }) => {
    starts++;
    begun.resolve(context);
    context.signal.addEventListener('abort', () => end.reject(context.signal.reason));
    return await end.promise;
  };
  const [one, two] = [new AbortController(), new AbortController()];
  const heard: string[] = [];
  const first = rejection(jobs.run('k', start, { signal: one.signal, onEvent: (event) => heard.push(`1 ${event}`) }));
  const { signal, emit } = await begun.promise;
  emit('a');
  const second = rejection(jobs.run('k', start, { signal: two.signal, onEvent: (event) => heard.push(`2 ${event}`) }));
  emit('b');
  one.abort(new Error('one left'));
  expect([await first, signal.aborted]).toEqual(['undefined: one left', false]);
  emit('c');
  two.abort(new Error('two left'));
  expect([await second, signal.aborted, starts, heard]).toEqual(['undefined: two left', true, 1, ['1 a', '2 a', '1 b', '2 b', '2 c']]);
  expect(await jobs.run('k', async () => 7)).toBe(7);
});
