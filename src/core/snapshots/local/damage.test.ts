/** A flipped bit in a snapshot's record is found when it is used, named, and put right by making the snapshot again, as a pull does. */
import { describe, expect, test } from 'bun:test';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../../base/index.ts';
import { hostPlatform } from '../../../oci/index.ts';
import { writeTar } from '../../diff/tar/writer.ts';
import { openTestCore, openTestTree, rejection, type TestCore, testContainer } from '../../fixtures.ts';
import { importImage } from '../../images/import-image.ts';
import { resolveImage } from '../../images/resolve-image.ts';
import { openLocalCore } from '../../local-core.ts';

const layers = ['one', 'two', 'three'].map((name) => writeTar([{ name, type: 'file', mode: 0o644, content: Buffer.from(name) }]));
const again = async (core: Pick<TestCore, 'content' | 'images' | 'unpacker' | 'leases'>) => await importImage(core, { name: 'i', config: {}, layers });

interface Made extends Disposable {
  readonly core: TestCore;
  readonly chainIds: readonly string[];
}

/** An image of three layers, and a container on it. */
async function made(): Promise<Made> {
  const core = openTestCore();
  const { target } = await again(core);
  const { chainIds } = await resolveImage(core.content, target, hostPlatform());
  await core.snapshots.prepare('c', chainIds[2]);
  await core.containers.create(testContainer('c'));
  return { core, chainIds, [Symbol.dispose]: () => core[Symbol.dispose]() };
}

function change(core: TestCore, sql: string): void {
  const db = new DatabaseSync(path.join(core.root, 'metadata.db'));
  expect(db.prepare(sql).run().changes).toBe(1);
  db.close();
}

/** What the layers of the container hold, uppermost first. */
async function layersOf({ core }: Pick<Made, 'core'>): Promise<readonly string[]> {
  const mount = await core.snapshots.mounts('c');
  if (mount.type !== 'overlay') throw new Error(`a ${mount.type} of three layers`);
  return mount.lowers.map((lower, index) => readFileSync(path.join(lower, ['three', 'two', 'one'][index] ?? ''), 'utf8'));
}

describe('the middle layer', () => {
  for (const set of [
    `key = replace(key, 'a', 'b') || 'x'`,
    'parent = null',
    'parent = id',
    `parent_key = 'other'`,
    `kind = 'active'`,
    `kind = 'committee'`,
    `labels = '{"x'`,
    'created = created + 1',
    'size = 7',
    `sum = 'no sum'`,
  ])
    test(set, async () => {
      using image = await made();
      const { core, chainIds } = image;
      const below = await core.snapshots.mounts('c');
      change(core, `update snapshots set ${set} where key = '${chainIds[1]}'`);
      const damage = `DataLoss: snapshot ${chainIds[1]}: its record is damaged`;
      expect(await rejection(core.snapshots.mounts('c'))).toBe(damage);
      expect(await rejection(core.snapshots.prepare('other', chainIds[2]))).toBe(damage);
      expect([damage, `NotFound: snapshot ${chainIds[1]} does not exist: not found`]).toContain(await rejection(core.snapshots.stat(chainIds[1] ?? '')));
      // Nothing is lost meanwhile.
      expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
      await again(core);
      expect(await layersOf(image)).toEqual(['three', 'two', 'one']);
      // A container that runs has them mounted: they are the same directories.
      expect(await core.snapshots.mounts('c')).toEqual(below);
      expect((await core.snapshots.stat(chainIds[1] ?? '')).parent).toBe(chainIds[0]);
      expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
      expect((await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key).sort()).toEqual([...chainIds, 'c'].sort());
    });

  test('its files are gone', async () => {
    using image = await made();
    const { core, chainIds } = image;
    const mount = await core.snapshots.mounts('c');
    rmSync(path.dirname(mount.type === 'overlay' ? (mount.lowers[1] ?? '') : ''), { recursive: true });
    expect(await rejection(core.snapshots.stat(chainIds[1] ?? ''))).toBe(`DataLoss: snapshot ${chainIds[1]}: its files are gone`);
    await again(core);
    expect([await layersOf(image), await core.snapshots.mounts('c')]).toEqual([['three', 'two', 'one'], mount]);
  });
});

test('a container whose own record is damaged cannot be mounted, and can be removed', async () => {
  using image = await made();
  const { core } = image;
  change(core, `update snapshots set parent = null where key = 'c'`);
  expect(await rejection(core.snapshots.mounts('c'))).toBe('DataLoss: snapshot c: its record is damaged');
  await core.snapshots.remove('c');
  expect(await rejection(core.snapshots.mounts('c'))).toBe('NotFound: snapshot c does not exist: not found');
});

test('every byte of a record in the database’s file', async () => {
  using image = await made();
  const { core, chainIds } = image;
  const file = path.join(core.root, 'metadata.db');
  core.flush();
  const whole = readFileSync(file);
  // The record ends with its sum, and begins with its key: the one place where these follow each other.
  const sum = new DatabaseSync(file).prepare('select sum from snapshots where key = ?').get(chainIds[1] ?? '')?.['sum'] as string;
  const end = whole.indexOf(sum) + sum.length;
  const start = whole.lastIndexOf(chainIds[1] ?? '', end);
  expect([end > sum.length, start > 0, end - start < 500]).toEqual([true, true, true]);
  const found: string[] = [];
  for (let at = start; at < end; at += 7) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    const root = `${core.root}/flipped-${at}`;
    writeFileSyncIn(root, bytes);
    try {
      using flipped = openLocalCore({ root, log: silentLogger, openFileTree: openTestTree });
      found.push((await rejection(flipped.snapshots.mounts('c'))).split(':')[0] ?? '');
    } catch (error) {
      found.push((error as { readonly code?: string }).code ?? String(error));
    } finally {
      rmSync(root, { recursive: true });
    }
  }
  // Found on use; or the whole database was set aside at its start, with the snapshots in it.
  expect([...new Set(found)].filter((code) => code !== 'DataLoss' && code !== 'NotFound')).toEqual([]);
  expect(found.filter((code) => code === 'DataLoss').length).toBeGreaterThan(found.length / 2);
});

function writeFileSyncIn(root: string, database: Uint8Array): void {
  rmSync(root, { recursive: true, force: true });
  openLocalCore({ root, log: silentLogger, openFileTree: openTestTree })[Symbol.dispose]();
  for (const suffix of ['-wal', '-shm']) rmSync(path.join(root, `metadata.db${suffix}`), { force: true });
  writeFileSync(path.join(root, 'metadata.db'), database);
}
