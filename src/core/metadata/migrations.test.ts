import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { silentLogger } from '../../base/index.ts';
import { digestOf } from '../../oci/index.ts';
import { openTestTree, rejection } from '../fixtures.ts';
import { openLocalCore } from '../local-core.ts';
import { migrations } from './migrations.ts';

const digest = digestOf('x');
/** What the third version wrote. */
const old = `
  insert into blobs values ('${digest}', 1, 1000, 2000, '{"l":"m"}');
  insert into ingests (id, ref, expected, total, started, updated) values (7, 'r', null, 10, 1000, 2000);
  insert into images values ('i', '{"mediaType":"x","digest":"${digest}","size":1}', '{}', 1000, 2000);
  insert into containers values ('c', '{"l":"m"}', 'i', 'c', null, '{"docker":{"n":9223372036854775807,"text":"\\u0007","nothing":null}}', 1000, 2000);
  insert into containers values ('damaged', '{}', 'i', 'd', null, '{"docker', 1000, 2000);
  insert into snapshots (id, key, parent, kind, labels, created, updated, parent_key, sum) values
    (3, 'base', null, 'committed', '{}', 1000, 2000, null, 'b82c1a181aefac9f2ef3c0b64bef64f0'),
    (4, 'c', 3, 'active', '{}', 1000, 2000, null, null);
  insert into snapshots (id, key, kind, labels, created, updated) values (9, 'gone', 'view', '{}', 0, 0);
  delete from snapshots where id = 9;
  insert into leases values ('l', '{}', 1000);
  insert into lease_resources values ('l', 'content', '${digest}');
`;

function oldRoot(change = ''): Disposable & { readonly root: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'strake-old-'));
  const db = new DatabaseSync(path.join(root, 'metadata.db'));
  db.exec(`${migrations.slice(0, 3).join(';')}; ${old}; ${change}; pragma user_version = 3`);
  db.close();
  for (const directory of ['content/blobs/sha256', 'snapshots/3/fs', 'snapshots/4/fs']) mkdirSync(path.join(root, directory), { recursive: true });
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

test('what an older version stored is the Engine’s', async () => {
  using place = oldRoot();
  await Bun.write(path.join(place.root, 'content/blobs/sha256', digest.slice(7)), 'x');
  using core = openLocalCore({ root: place.root, log: silentLogger, openFileTree: openTestTree });
  expect(await core.namespaces.list()).toEqual([{ name: 'moby', labels: {} }]);
  expect((await core.content.info(digest)).labels).toEqual({ l: 'm' });
  expect((await core.content.ingests()).map(({ ref, totalBytes }) => [ref, totalBytes])).toEqual([['r', 10]]);
  expect((await core.images.get('i')).target.digest).toBe(digest);
  const container = await core.containers.get('c');
  expect([container.runtime.name, container.snapshotter, container.snapshotKey, container.labels]).toEqual([
    'io.containerd.strake.v2',
    'overlayfs',
    'c',
    { l: 'm' },
  ]);
  expect(Buffer.from(container.extensions['docker']?.value ?? []).toString()).toBe('{"n":9223372036854775807,"text":"\\u0007","nothing":null}');
  expect([(await core.snapshots.stat('c')).parent, (await core.snapshots.stat('base')).kind]).toEqual(['base', 'committed']);
  expect(await core.leaseStore.resources('l')).toEqual([{ type: 'content', id: digest }]);
  // Numbers of directories are not given twice.
  await core.snapshots.prepare('new', undefined);
  await using writer = await core.content.writer({ ref: 'new' });
  using db = new DatabaseSync(path.join(place.root, 'metadata.db'));
  expect([db.prepare(`select id from snapshots where key = 'new'`).get(), db.prepare(`select id from ingests where ref = 'new'`).get()]).toEqual([
    { id: 10 },
    { id: 8 },
  ]);
  expect(writer.offsetBytes).toBe(0);
});

test('a damaged record stays damaged, and no more than that', async () => {
  using place = oldRoot(`update snapshots set sum = 'flipped' where key = 'base'`);
  using core = openLocalCore({ root: place.root, log: silentLogger, openFileTree: openTestTree });
  expect(await rejection(core.snapshots.stat('base'))).toBe('DataLoss: snapshot base: its record is damaged');
  expect((await core.containers.get('c')).id).toBe('c');
  expect(await rejection(core.containers.get('damaged'))).not.toBe('fulfilled');
});

test('snapshots of native are found again', async () => {
  using place = oldRoot(`insert into facts values ('snapshotter is native', 1); update snapshots set sum = null`);
  using core = openLocalCore({ root: place.root, log: silentLogger, openFileTree: openTestTree, snapshotter: 'native' });
  expect([(await core.snapshots.stat('c')).parent, (await core.containers.get('c')).snapshotter]).toEqual(['base', 'native']);
  expect(await rejection(Promise.try(() => openLocalCore({ root: place.root, log: silentLogger, openFileTree: openTestTree })))).toBe(
    'FailedPrecondition: the data root has snapshots of native, not of overlayfs',
  );
});
