import { describe, expect, test } from 'bun:test';
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '../../../base/index.ts';
import { hostPlatform } from '../../../oci/index.ts';
import { writeTar } from '../../diff/tar/writer.ts';
import { openTestCore, openTestTree, rejection, type TestCore } from '../../fixtures.ts';
import { importImage } from '../../images/import-image.ts';
import { resolveImage } from '../../images/resolve-image.ts';
import { openLocalCore } from '../../local-core.ts';
import { MetadataDatabase } from '../../metadata/index.ts';
import { snapshotsConformance } from '../conformance.ts';
import { mappingLabels, type SnapshotMount } from '../snapshots.ts';
import { snapshotterNames } from './check-snapshotter.ts';
import { SnapshotDirectories } from './directories.ts';
import type { SnapshotLayout } from './layout.ts';
import { LocalSnapshotter } from './local-snapshotter.ts';
import { overlayLayout } from './overlay-layout.ts';

async function write(core: TestCore, key: string, name: string, content: string): Promise<void> {
  const { dir } = await core.snapshots.unpackTarget(key);
  await using tree = await openTestTree(dir);
  await tree.write([
    { op: 'file_create', side: 'file', path: name, mode: 0o100644, uid: 0, gid: 0, mtime: 0, size: content.length },
    { op: 'file_data', side: 'file', data: Buffer.from(content) },
  ]);
  await tree.sync(false);
}

for (const snapshotter of snapshotterNames)
  describe(`${snapshotter} snapshotter`, () => {
    snapshotsConformance(async () => {
      const core = openTestCore({ snapshotter });
      return {
        store: core.snapshots,
        write: async (key, name, content) => await write(core, key, name, content),
        [Symbol.asyncDispose]: async () => core[Symbol.dispose](),
      };
    });
  });

describe('overlayfs', () => {
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
    const snapshots = openSnapshotter(core, db, overlayLayout);
    await snapshots.cleanup();
    await snapshots.prepare('c', undefined);
    expect(readdirSync(path.join(core.root, 'snapshots')).sort()).toEqual(['1', '2', '3']);
  });
});

/** The snapshots of a namespace of a core's root, over another database or with another layout. */
function openSnapshotter({ root }: TestCore, db: MetadataDatabase, layout: SnapshotLayout): LocalSnapshotter {
  const scope = { db, namespace: 'n', now: () => new Date(), events: { publish: () => undefined }, enter: () => undefined, removed: () => undefined };
  const directories = new SnapshotDirectories({ root, db, openFileTree: openTestTree, log: silentLogger });
  return new LocalSnapshotter({ ...scope, openFileTree: openTestTree, directories, unsynced: { add: () => undefined }, layout });
}

describe('while the files of a snapshot are made', () => {
  /** One that is being made above `base`; `go` lets its files be made. */
  async function making(core: TestCore, db: MetadataDatabase) {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const layout: SnapshotLayout = {
      ...overlayLayout,
      make: async (place, parent) => {
        if (parent !== undefined) {
          begun.resolve();
          await gate.promise;
        }
        await overlayLayout.make(place, parent);
      },
    };
    const snapshots = openSnapshotter(core, db, layout);
    await snapshots.prepare('a', undefined);
    await snapshots.commit('base', 'a');
    const made = snapshots.prepare('b', 'base');
    await begun.promise;
    return { snapshots, made, go: gate.resolve };
  }

  test('it has no record, and a cleanup leaves them alone', async () => {
    using core = openTestCore();
    using db = MetadataDatabase.open({ root: core.root, log: silentLogger });
    const { snapshots, made, go } = await making(core, db);
    expect(await rejection(snapshots.stat('b'))).toStartWith('NotFound');
    await snapshots.cleanup();
    go();
    await made;
    expect(readdirSync(path.join(core.root, 'snapshots', '2')).sort()).toEqual(['fs', 'work']);
  });

  test('who dies leaves files that the next start removes', async () => {
    using core = openTestCore();
    using db = MetadataDatabase.open({ root: core.root, log: silentLogger });
    await making(core, db);
    const next = openSnapshotter(core, db, overlayLayout);
    await next.cleanup();
    expect(readdirSync(path.join(core.root, 'snapshots'))).toEqual(['1']);
    await next.prepare('b', 'base');
    expect((await next.stat('b')).kind).toBe('active');
  });

  test.each([
    [
      'the one below is removed',
      async (snapshots: LocalSnapshotter) => await snapshots.remove('base'),
      'NotFound: parent snapshot base does not exist: not found',
    ],
    ['another takes its key', async (snapshots: LocalSnapshotter) => await snapshots.prepare('b', undefined), 'AlreadyExists: snapshot "b": already exists'],
  ] as const)('%s: it is refused, and nothing of it is left', async (_, meanwhile, refusal) => {
    using core = openTestCore();
    using db = MetadataDatabase.open({ root: core.root, log: silentLogger });
    const { snapshots, made, go } = await making(core, db);
    await meanwhile(snapshots);
    go();
    expect(await rejection(made)).toBe(refusal);
    expect(readdirSync(path.join(core.root, 'snapshots'))).not.toContain('2');
  });
});

describe('mapped owners', () => {
  const labels = { [mappingLabels.uids]: '0:100000:1000,1000:300000:10', [mappingLabels.gids]: '0:200000:65536' };

  /** Two layers with files of root and of 1005:7. */
  async function layers({ snapshots }: TestCore): Promise<void> {
    for (const [index, name] of ['one', 'two'].entries()) {
      await snapshots.prepare(`${name}-active`, index === 0 ? undefined : 'one');
      const { dir } = await snapshots.unpackTarget(`${name}-active`);
      await using tree = await openTestTree(dir);
      await tree.write([
        { op: 'file_create', side: 'file', path: `${name}-root`, mode: 0o100644, uid: 0, gid: 0, mtime: 0, size: 0 },
        { op: 'file_create', side: 'file', path: `${name}-user`, mode: 0o100644, uid: 1005, gid: 7, mtime: 0, size: 0 },
      ]);
      await tree.sync(false);
      await snapshots.commit(name, `${name}-active`);
    }
  }

  async function shown(mount: SnapshotMount, names: readonly string[]): Promise<readonly string[]> {
    await using tree = await openTestTree(mount);
    return await Promise.all(names.map(async (name) => await tree.stat(name).then(({ uid, gid }) => `${uid}:${gid}`)));
  }

  const names = ['.', 'one-root', 'one-user', 'two-root', 'two-user'];

  test('of one layer, of several, and below a writable one, whose own files have them already', async () => {
    using core = openTestCore();
    await layers(core);
    const owners = ['100000:200000', '100000:200000', '300005:200007', '100000:200000', '300005:200007'];
    expect(await shown(await core.snapshots.view('v1', 'one', labels), names.slice(0, 3))).toEqual(owners.slice(0, 3));
    expect(await shown(await core.snapshots.view('v2', 'two', labels), names)).toEqual(owners);
    const mount = await core.snapshots.prepare('c', 'two', labels);
    const { dir } = await core.snapshots.unpackTarget('c');
    writeFileSync(path.join(dir, 'own'), '');
    chownSync(path.join(dir, 'own'), 100_001, 200_002);
    expect([statSync(dir).uid, statSync(dir).gid]).toEqual([100_000, 200_000]);
    expect(await shown(mount, [...names, 'own'])).toEqual([...owners, '100001:200002']);
    // The layers themselves are as they were, and so are they for others.
    expect(await shown(await core.snapshots.view('plain', 'two'), names)).toEqual(['0:0', '0:0', '1005:7', '0:0', '1005:7']);
    expect(mount).toEqual(await core.snapshots.mounts('c'));
  });

  test.each([
    [{ [mappingLabels.uids]: '0:1:1' }, `label ${mappingLabels.gids} is "", not CONTAINER:HOST:SIZE`],
    [{ ...labels, [mappingLabels.uids]: '0:1' }, `label ${mappingLabels.uids} is "0:1", not CONTAINER:HOST:SIZE`],
    [{ ...labels, [mappingLabels.uids]: '0:1:0' }, `label ${mappingLabels.uids} is "0:1:0", not CONTAINER:HOST:SIZE`],
    [{ ...labels, [mappingLabels.uids]: '0:4294967295:1' }, `label ${mappingLabels.uids} is "0:4294967295:1", not CONTAINER:HOST:SIZE`],
    [{ ...labels, [mappingLabels.uids]: '0:1:1\n0:2:1' }, `label ${mappingLabels.uids} is "0:1:1\\n0:2:1", not CONTAINER:HOST:SIZE`],
  ])('%j is refused', async (bad, message) => {
    using core = openTestCore();
    expect(await rejection(core.snapshots.prepare('a', undefined, bad))).toBe(`InvalidArgument: ${message}`);
    expect(await Array.fromAsync(core.snapshots.walk())).toEqual([]);
  });

  test('copies cannot', async () => {
    using core = openTestCore({ snapshotter: 'native' });
    expect(await rejection(core.snapshots.prepare('a', undefined, labels))).toBe('InvalidArgument: snapshot a: the snapshotter native cannot map ids');
  });
});

describe('native', () => {
  test('each snapshot is a tree of its own, with all that its parent has', async () => {
    using core = openTestCore({ snapshotter: 'native' });
    const { snapshots } = core;
    await snapshots.prepare('a', undefined);
    const { dir: below } = await snapshots.unpackTarget('a');
    {
      await using tree = await openTestTree(below);
      await tree.write([
        { op: 'file_dir', side: 'file', path: '.', mode: 0o041711, uid: 12, gid: 34, mtime: 5_000_000_001n },
        { op: 'file_dir', side: 'file', path: 'd', mode: 0o042750, uid: 1, gid: 2, mtime: 7n },
        { op: 'file_create', side: 'file', path: 'd/f', mode: 0o104755, uid: 3, gid: 4, mtime: 123_456_789n, size: 3 },
        { op: 'file_data', side: 'file', data: Buffer.from('abc') },
        { op: 'file_xattr', side: 'file', path: 'd/f', name: 'user.x', value: Buffer.from('y') },
        { op: 'file_link', side: 'file', path: 'hard', target: 'd/f' },
        { op: 'file_symlink', side: 'file', path: 'soft', target: '/etc/passwd', uid: 5, gid: 6, mtime: 9n },
        { op: 'file_node', side: 'file', path: 'null', mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 0, mtime: 11n },
        { op: 'file_node', side: 'file', path: 'fifo', mode: 0o010600, major: 0, minor: 0, uid: 0, gid: 0, mtime: 13n },
      ]);
      await tree.sync(false);
    }
    await snapshots.commit('base', 'a');
    const mount = await snapshots.prepare('b', 'base');
    const { dir } = await snapshots.unpackTarget('b');
    expect([mount, dir]).toEqual([{ type: 'bind', source: path.join(core.root, 'snapshots/2/fs'), readonly: false }, path.join(core.root, 'snapshots/2/fs')]);
    expect(await snapshots.view('v', 'base')).toEqual({ type: 'bind', source: below, readonly: true });
    const facts = (root: string) =>
      ['.', 'd', 'd/f', 'hard', 'soft', 'null', 'fifo'].map((name) => {
        const { mode, uid, gid, size, mtimeNs, rdev, nlink, isDirectory } = {
          ...lstatSync(path.join(root, name), { bigint: true }),
          isDirectory: name === '.',
        };
        // The times of a root directory are of who made the snapshot.
        return [name, mode, uid, gid, size, isDirectory ? 0n : mtimeNs, rdev, nlink];
      });
    expect(facts(dir)).toEqual(facts(below));
    expect(lstatSync(path.join(dir, 'd/f')).ino).toBe(lstatSync(path.join(dir, 'hard')).ino);
    expect([readFileSync(path.join(dir, 'hard'), 'utf8'), readlinkSync(path.join(dir, 'soft'))]).toEqual(['abc', '/etc/passwd']);
    await using tree = await openTestTree(dir);
    const seen = (await Array.fromAsync(tree.walk('.'))).flat();
    expect(JSON.stringify(seen, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).toContain('user.x');
    // What is written above does not reach below.
    await write(core, 'b', 'new', 'x');
    expect(readdirSync(below).includes('new')).toBe(false);
  });

  test('an image: what a layer takes away is not there, and nothing stands for it', async () => {
    using core = openTestCore({ snapshotter: 'native' });
    const file = (name: string) => ({ name, type: 'file' as const, mode: 0o644, content: Buffer.from(name) });
    const dir = (name: string) => ({ name, type: 'directory' as const, mode: 0o755 });
    const layers = [
      [file('gone'), dir('d'), file('d/old'), file('kept')],
      [file('.wh.gone'), dir('d'), file('d/.wh..wh..opq'), file('d/new')],
    ].map(writeTar);
    const { target } = await importImage(core, { name: 'i', config: {}, layers });
    const { chainIds } = await resolveImage(core.content, target, hostPlatform());
    await core.snapshots.prepare('c', chainIds[1]);
    const { dir: files } = await core.snapshots.unpackTarget('c');
    expect([readdirSync(files).sort(), readdirSync(path.join(files, 'd'))]).toEqual([['d', 'kept'], ['new']]);
    await core.snapshots.remove('c');
    await core.images.delete('i');
    expect((await core.collectGarbage()).snapshots).toEqual(chainIds.toReversed());
  });

  test('one data root has snapshots of one snapshotter', async () => {
    using core = openTestCore({ snapshotter: 'native' });
    await core.snapshots.prepare('a', undefined);
    const open = () => openLocalCore({ root: core.root, log: silentLogger, openFileTree: openTestTree })[Symbol.dispose]();
    expect(open).toThrow('the data root has snapshots of native, not of overlayfs');
    await core.snapshots.remove('a');
    expect(open).not.toThrow();
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
