import { describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../base/index.ts';
import { openTestCore, openTestTree } from '../../fixtures.ts';
import { MetadataDatabase } from '../../metadata/index.ts';
import { snapshotsConformance } from '../conformance.ts';
import { OverlaySnapshotter } from './overlay-snapshotter.ts';

describe('overlay snapshotter', () => {
  snapshotsConformance(async () => {
    const core = openTestCore();
    return {
      store: core.snapshots,
      write: async (key, name, content) => {
        const { dir } = await core.snapshots.unpackTarget(key);
        await using tree = await openTestTree(dir);
        await tree.write([
          { op: 'file_create', side: 'file', path: name, mode: 0o100644, uid: 0, gid: 0, mtime: 0, size: content.length },
          { op: 'file_data', side: 'file', data: Buffer.from(content) },
        ]);
        await tree.sync(false);
      },
      [Symbol.asyncDispose]: async () => core[Symbol.dispose](),
    };
  });

  test('mounts stack numbered directories, uppermost first; only root reaches them', async () => {
    using core = openTestCore();
    const { snapshots, root } = core;
    const at = (number: number, name: string) => path.join(root, 'snapshots', String(number), name);
    expect(await snapshots.prepare('a', undefined)).toEqual({ type: 'bind', source: at(1, 'fs'), readonly: false });
    await snapshots.commit('one', 'a');
    expect(await snapshots.prepare('b', 'one')).toEqual({ type: 'overlay', lowers: [at(1, 'fs')], upper: at(2, 'fs'), work: at(2, 'work'), readonly: false });
    await snapshots.commit('two', 'b');
    expect(await snapshots.view('v', 'one')).toEqual({ type: 'bind', source: at(1, 'fs'), readonly: true });
    expect(await snapshots.view('w', 'two')).toEqual({
      type: 'overlay',
      lowers: [at(2, 'fs'), at(1, 'fs')],
      upper: undefined,
      work: undefined,
      readonly: true,
    });
    expect([root, path.join(root, 'snapshots'), at(1, ''), at(1, 'fs')].map((file) => (statSync(file).mode & 0o777).toString(8))).toEqual([
      '700',
      '700',
      '700',
      '755',
    ]);
    expect(readdirSync(at(1, ''))).toEqual(['fs']);
  });

  test("a container's root directory takes after the image's", async () => {
    using core = openTestCore();
    const { dir } = await prepareRoot(core);
    expect([statSync(dir).mode & 0o7777, statSync(dir).uid, statSync(dir).gid]).toEqual([0o1711, 12, 34]);
  });

  test('cleanup removes directories that no record knows', async () => {
    using core = openTestCore();
    await core.snapshots.prepare('a', undefined);
    mkdirSync(path.join(core.root, 'snapshots/7/fs/x'), { recursive: true });
    mkdirSync(path.join(core.root, 'snapshots/removed-3'));
    await core.snapshots.cleanup();
    expect(readdirSync(path.join(core.root, 'snapshots'))).toEqual(['1']);
  });

  test('with a new database over old snapshots, those stay and keep their numbers', async () => {
    using core = openTestCore();
    await core.snapshots.prepare('a', undefined);
    await core.snapshots.prepare('b', undefined);
    for (const suffix of ['', '-wal', '-shm']) rmSync(path.join(core.root, `metadata.db${suffix}`));
    using db = MetadataDatabase.open({ root: core.root, log: silentLogger });
    const snapshots = new OverlaySnapshotter({ root: core.root, db, openFileTree: openTestTree, log: silentLogger });
    await snapshots.cleanup();
    await snapshots.prepare('c', undefined);
    expect(readdirSync(path.join(core.root, 'snapshots')).sort()).toEqual(['1', '2', '3']);
  });
});

/** A container's directory over an image whose root directory is 1711, 12:34. */
async function prepareRoot({ snapshots }: ReturnType<typeof openTestCore>): Promise<{ readonly dir: string }> {
  await snapshots.prepare('a', undefined);
  const { dir } = await snapshots.unpackTarget('a');
  await using tree = await openTestTree(dir);
  await tree.write([{ op: 'file_dir', side: 'file', path: '.', mode: 0o041711, uid: 12, gid: 34, mtime: 0 }]);
  await tree.sync(false);
  await snapshots.commit('base', 'a');
  await snapshots.prepare('c', 'base');
  return await snapshots.unpackTarget('c');
}
