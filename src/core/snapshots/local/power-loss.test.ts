/** What a power loss may have taken of snapshots is found at the next start, and made again of the blobs, which had reached the disk. */
import { expect, test } from 'bun:test';
import { readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../../base/index.ts';
import { hostPlatform } from '../../../oci/index.ts';
import { writeTar } from '../../diff/tar/writer.ts';
import { openTestCore, openTestTree, rejection, type TestCore } from '../../fixtures.ts';
import { importImage } from '../../images/import-image.ts';
import { resolveImage } from '../../images/resolve-image.ts';
import { type LocalCore, openLocalCore } from '../../local-core.ts';
import { snapshotterNames } from './check-snapshotter.ts';

const layers = ['one', 'two'].map((name) => writeTar([{ name, type: 'file', mode: 0o644, content: Buffer.from(name) }]));

async function importLayers(core: LocalCore): Promise<readonly string[]> {
  const { target } = await importImage(core, { name: 'i', config: {}, layers });
  return (await resolveImage(core.content, target, hostPlatform())).chainIds;
}

const nextBoot = { unsynced: { bootId: 'the next boot' } };

function reopen(core: TestCore, options: Partial<Parameters<typeof openLocalCore>[0]> = {}): LocalCore {
  return openLocalCore({ root: core.root, log: silentLogger, openFileTree: openTestTree, snapshotter: core.snapshots.name as 'overlayfs', ...options });
}

let looks = 0;

async function file(core: LocalCore, chainId: string, name: string): Promise<string> {
  const key = `look-${looks++}`;
  const mount = await core.snapshots.view(key, chainId);
  const [directory = ''] = mount.type === 'bind' ? [mount.source] : mount.lowers;
  return path.join(directory, name);
}

for (const snapshotter of snapshotterNames)
  test(`${snapshotter}: files that were cut off`, async () => {
    using core = openTestCore({ snapshotter });
    const [one = '', two = ''] = await importLayers(core);
    for (const [chainId, name] of [
      [one, 'one'],
      [two, 'two'],
    ] as const)
      truncateSync(await file(core, chainId, name));
    using after = reopen(core, nextBoot);
    await after.restore();
    expect([readFileSync(await file(after, one, 'one'), 'utf8'), readFileSync(await file(after, two, 'two'), 'utf8')]).toEqual(['one', 'two']);
  });

test('a daemon that starts again in the same boot leaves them as they are', async () => {
  using core = openTestCore();
  const [one = ''] = await importLayers(core);
  truncateSync(await file(core, one, 'one'));
  using after = reopen(core);
  await after.restore();
  expect(readFileSync(await file(after, one, 'one'), 'utf8')).toBe('');
});

test('what no image has is lost, and can be removed', async () => {
  using core = openTestCore();
  await core.snapshots.prepare('a', undefined);
  await core.snapshots.commit('mine', 'a');
  using after = reopen(core, nextBoot);
  await after.restore();
  expect(await rejection(after.snapshots.stat('mine'))).toBe('DataLoss: snapshot mine: its files are gone');
  await after.snapshots.remove('mine');
  expect(await rejection(after.snapshots.stat('mine'))).toBe('NotFound: snapshot mine does not exist: not found');
});

test('after the sync another boot loses nothing', async () => {
  const synced = Promise.withResolvers<void>();
  using core = openTestCore({
    unsynced: { quietMs: 0 },
    openFileTree: async (place, options) => {
      const tree = await openTestTree(place, options);
      return Object.assign(Object.create(tree) as typeof tree, {
        sync: async (durable: boolean) => {
          await tree.sync(durable);
          if (durable) synced.resolve();
        },
      });
    },
  });
  const [one = ''] = await importLayers(core);
  const db = new DatabaseSync(path.join(core.root, 'metadata.db'), { readOnly: true });
  const unsynced = () => db.prepare('select count(*) as n from unsynced_snapshots').get()?.['n'];
  await synced.promise;
  while (unsynced() !== 0) await new Promise(setImmediate);
  db.close();
  using after = reopen(core, nextBoot);
  await after.restore();
  expect(readFileSync(await file(after, one, 'one'), 'utf8')).toBe('one');
});
