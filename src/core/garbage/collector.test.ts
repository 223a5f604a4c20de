import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Logger, silentLogger } from '../../base/index.ts';
import { digestOf, hostPlatform } from '../../oci/index.ts';
import { writeTar } from '../diff/tar/writer.ts';
import { openTestCore, rejection, type TestCore } from '../fixtures.ts';
import { importImage } from '../images/import-image.ts';
import { putBlob } from '../images/put-blob.ts';
import { resolveImage } from '../images/resolve-image.ts';

function add(core: TestCore, name: string) {
  return importImage(core, { name, config: {}, layers: [writeTar([{ name, type: 'file', mode: 0o644, content: Buffer.from(name) }])] });
}

/** A blob of its own name; answers its digest. */
async function blob(core: TestCore, text: string, labels?: Readonly<Record<string, string>>): Promise<string> {
  const digest = digestOf(text);
  await putBlob(core.content, { mediaType: '', digest, size: text.length }, Buffer.from(text));
  if (labels) await core.content.setLabels(digest, labels);
  return digest;
}

async function snapshot(core: TestCore, name: string, parent?: string, labels?: Readonly<Record<string, string>>): Promise<string> {
  await core.snapshots.prepare(`${name}-active`, parent);
  await core.snapshots.commit(name, `${name}-active`, labels === undefined ? {} : { labels });
  return name;
}

const blobsOf = async (core: TestCore) => (await Array.fromAsync(core.content.walk())).map(({ digest }) => digest).sort();
const keysOf = async (core: TestCore) => (await Array.fromAsync(core.snapshots.walk())).map(({ key }) => key).sort();
const target = (digest: string) => ({ mediaType: 'x', digest, size: 1 });

test('a damaged manifest is named, set aside, and in nobody’s way', async () => {
  const told: unknown[] = [];
  const log: Logger = { ...silentLogger, error: (_message, fields) => told.push(fields?.['image']) };
  using core = openTestCore({ log });
  const damaged = await add(core, 'damaged');
  await core.content.setLabels(damaged.target.digest, {});
  await add(core, 'whole');
  const removed = await add(core, 'removed');
  await core.images.delete('removed');
  const hex = damaged.target.digest.slice(7);
  writeFileSync(path.join(core.root, 'content/blobs/sha256', hex), 'no manifest');
  const { blobs, snapshots } = await core.collectGarbage();
  expect(told).toEqual(['damaged']);
  // Of `removed` three blobs and a layer; of `damaged` what its manifest alone could tell about.
  expect([blobs.includes(removed.target.digest), blobs.length, snapshots.length]).toEqual([true, 5, 2]);
  // Importing it again heals it.
  expect((await add(core, 'damaged')).target.digest).toBe(damaged.target.digest);
  expect((await core.collectGarbage()).blobs).toEqual([]);
});

test('documents are read once: what they refer to is in their labels, as containerd has it', async () => {
  using core = openTestCore();
  const { target: manifest } = await add(core, 'a');
  const image = await resolveImage(core.content, manifest, hostPlatform());
  expect((await core.content.info(manifest.digest)).labels).toEqual({
    'containerd.io/gc.ref.content.config': image.manifest.config.digest,
    'containerd.io/gc.ref.content.l.0': image.manifest.layers[0]?.digest ?? '',
  });
  expect((await core.content.info(image.manifest.config.digest)).labels).toEqual({ 'containerd.io/gc.ref.snapshot.overlayfs': image.chainIds[0] ?? '' });
  // Then a manifest that is damaged keeps what is below it, until it is healed.
  writeFileSync(path.join(core.root, 'content/blobs/sha256', manifest.digest.slice(7)), 'no manifest');
  expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
});

describe('labels', () => {
  test('a root keeps what it refers to, in any of the forms; the rest goes', async () => {
    using core = openTestCore();
    const config = await blob(core, 'config', { 'containerd.io/gc.ref.snapshot.overlayfs/a': 'top', 'containerd.io/gc.ref.snapshot.native': 'other' });
    const layers = await Promise.all(['l0', 'l1', 'l2', 'l3'].map(async (text) => await blob(core, text)));
    const root = await blob(core, 'root', {
      'containerd.io/gc.root': 'x',
      'containerd.io/gc.ref.content': layers[0] ?? '',
      'containerd.io/gc.ref.content.l.1': layers[1] ?? '',
      'containerd.io/gc.ref.content/two': layers[2] ?? '',
      'containerd.io/gc.ref.contents': layers[3] ?? '',
      'containerd.io/gc.ref.content.config': config,
    });
    await snapshot(core, 'base');
    await snapshot(core, 'top', 'base');
    await snapshot(core, 'other');
    await snapshot(core, 'rooted', undefined, { 'containerd.io/gc.root': '2020-01-01' });
    expect((await core.collectGarbage()).snapshots).toEqual(['other']);
    expect(await blobsOf(core)).toEqual([root, config, ...layers.slice(0, 3)].sort());
    expect(await keysOf(core)).toEqual(['base', 'rooted', 'top']);
    await core.content.setLabels(root, {});
    expect((await core.collectGarbage()).blobs).toHaveLength(5);
    expect(await keysOf(core)).toEqual(['rooted']);
  });

  test('a cycle without a root goes', async () => {
    using core = openTestCore();
    const [a, b] = [digestOf('a'), digestOf('b')];
    await blob(core, 'a', { 'containerd.io/gc.ref.content': b });
    await blob(core, 'b', { 'containerd.io/gc.ref.content': a });
    expect([...(await core.collectGarbage()).blobs].sort()).toEqual([a, b].sort());
  });

  test('a reference back keeps a thing as long as the other is there', async () => {
    using core = openTestCore();
    const root = await blob(core, 'root', { 'containerd.io/gc.root': 'x' });
    const signature = await blob(core, 'signature', { 'containerd.io/gc.bref.content.signed': root });
    await snapshot(core, 's', undefined, { 'containerd.io/gc.bref.image': 'i' });
    await core.images.create({ name: 'i', target: target(root) });
    expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
    await core.images.delete('i');
    await core.content.setLabels(root, {});
    expect([...(await core.collectGarbage()).blobs].sort()).toEqual([root, signature].sort());
    expect(await keysOf(core)).toEqual([]);
  });

  test('an image that expires goes with its content; one whose time cannot be read stays', async () => {
    let now = new Date('2030-01-01T00:00:00Z');
    using core = openTestCore({ now: () => now });
    const [a, b] = [await blob(core, 'a'), await blob(core, 'b')];
    await core.images.create({ name: 'a', target: target(a), labels: { 'containerd.io/gc.expire': '2030-01-01T01:00:00Z' } });
    await core.images.create({ name: 'b', target: target(b), labels: { 'containerd.io/gc.expire': 'soon' } });
    expect((await core.collectGarbage()).blobs).toEqual([]);
    now = new Date('2030-01-01T01:00:01Z');
    expect((await core.collectGarbage()).blobs).toEqual([a]);
    expect((await core.images.list()).map(({ name }) => name)).toEqual(['b']);
  });
});

describe('leases', () => {
  test('a lease keeps what it names and what that refers to; a flat one only the former; an expired one nothing', async () => {
    let now = new Date('2030-01-01T00:00:00Z');
    using core = openTestCore({ now: () => now });
    const layer = await blob(core, 'layer');
    const manifest = await blob(core, 'manifest', { 'containerd.io/gc.ref.content.l.0': layer });
    await snapshot(core, 'base');
    await snapshot(core, 'top', 'base');
    await core.leaseStore.create({ id: 'l', labels: { 'containerd.io/gc.expire': '2030-01-02T00:00:00Z' } });
    await core.leaseStore.addResource('l', { type: 'content', id: manifest });
    await core.leaseStore.addResource('l', { type: 'snapshots/overlayfs', id: 'top' });
    expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
    await core.leaseStore.create({ id: 'flat', labels: { 'containerd.io/gc.flat': 'x' } });
    await core.leaseStore.addResource('flat', { type: 'content', id: manifest });
    now = new Date('2030-01-02T00:00:01Z');
    expect(await core.collectGarbage()).toEqual({ blobs: [layer], snapshots: ['top', 'base'], freedBytes: 5 });
    expect((await core.leaseStore.list()).map(({ id }) => id)).toEqual(['flat']);
    await core.leaseStore.delete('flat');
    expect((await core.collectGarbage()).blobs).toEqual([manifest]);
  });

  test('a blob is never without the lease that it is written under, also where its digest is known only at the end', async () => {
    using core = openTestCore();
    await core.leaseStore.create({ id: 'l' });
    for (let round = 0; round < 20; round++) {
      const text = `blob ${round}`;
      await using writer = await core.withLease('l').content.writer({ ref: text });
      await writer.write(Buffer.from(text));
      let isDone = false;
      const committed = writer.commit({}).finally(() => {
        isDone = true;
      });
      while (!isDone) await core.collectGarbage();
      await committed;
      expect((await core.content.info(digestOf(text))).sizeBytes).toBe(text.length);
    }
  });

  test('work that is kept outlives the process, until its time is over or somebody clears up', async () => {
    let now = new Date('2030-01-01T00:00:00Z');
    using core = openTestCore({ now: () => now });
    const [a, b] = [await blob(core, 'a'), await blob(core, 'b')];
    const interrupted = core.leases.acquire({ name: 'pull x', forMs: 1000 });
    interrupted.add(a);
    interrupted.keep();
    interrupted[Symbol.dispose]();
    const running = core.leases.acquire({ name: 'pull y', forMs: 1000 });
    running.add(b);
    expect((await core.collectGarbage()).blobs).toEqual([]);
    now = new Date('2030-01-01T00:00:02Z');
    expect((await core.collectGarbage()).blobs).toEqual([a]);
    expect((await core.collectGarbage({ interruptedWork: true })).blobs).toEqual([]);
    running[Symbol.dispose]();
    expect((await core.collectGarbage()).blobs).toEqual([b]);
  });

  test('the last that has the name takes the kept lease away when it succeeds', async () => {
    using core = openTestCore();
    const leases = ['x', 'x'].map((name) => core.leases.acquire({ name, forMs: 1000 }));
    for (const lease of leases) lease.add(digestOf('a'));
    leases[0]?.keep();
    for (const lease of leases) lease[Symbol.dispose]();
    expect(await core.leaseStore.list()).toEqual([]);
  });
});

test('an image that is named while a collection runs loses nothing', async () => {
  using core = openTestCore();
  // More than one batch of garbage, so that the collection pauses.
  for (let index = 0; index < 200; index++) await blob(core, `garbage ${index}`);
  const { target: manifest } = await add(core, 'old');
  const { digests } = { digests: await blobsOf(core) };
  await core.images.delete('old');
  const lease = core.leases.acquire();
  lease.add(manifest.digest);
  const collection = core.collectGarbage();
  await core.images.put({ name: 'new', target: manifest });
  lease[Symbol.dispose]();
  expect((await collection).blobs).toHaveLength(200);
  expect((await blobsOf(core)).length).toBe(digests.length - 200);
  const image = await resolveImage(core.content, manifest, hostPlatform());
  expect(await keysOf(core)).toEqual([...image.chainIds]);
  expect(existsSync(((await core.snapshots.view('v', image.chainIds.at(-1))) as { readonly source: string }).source)).toBe(true);
  expect(readdirSync(path.join(core.root, 'content/ingest'))).toEqual([]);
});

test('a snapshot that a layer is unpacked into stays as long as its work runs, here or at a client that leased it', async () => {
  using core = openTestCore();
  const chainId = digestOf('layer');
  const key = `unpack-${chainId}`;
  await core.leaseStore.create({ id: 'of a client', labels: {} });
  await core.leaseStore.addResource('of a client', { type: 'snapshots/overlayfs', id: key });
  await core.snapshots.prepare(key, undefined, {});
  expect((await core.collectGarbage()).snapshots).toEqual([]);
  await core.leaseStore.delete('of a client');
  {
    using lease = core.leases.acquire();
    lease.add(chainId);
    expect((await core.collectGarbage()).snapshots).toEqual([]);
  }
  expect((await core.collectGarbage()).snapshots).toEqual([key]);
});

test('files that no record knows are found at the start', async () => {
  using core = openTestCore();
  const hex = digestOf('lost').slice(7);
  writeFileSync(path.join(core.root, 'content/blobs/sha256', hex), 'lost');
  writeFileSync(path.join(core.root, 'content/ingest/77'), 'half');
  expect((await core.collectGarbage()).blobs).toEqual([]);
  expect((await core.collectGarbage({ activeSnapshots: true })).blobs).toEqual([`sha256:${hex}`]);
  expect([readdirSync(path.join(core.root, 'content/ingest')), existsSync(path.join(core.root, 'content/blobs/sha256', hex))]).toEqual([[], false]);
});

test('while the record of an image is damaged, nothing is collected; naming it again heals it', async () => {
  const told: unknown[] = [];
  using core = openTestCore({ log: { ...silentLogger, error: (_message, fields) => told.push(fields?.['image']) } });
  const { target: manifest } = await add(core, 'a');
  await blob(core, 'garbage');
  const db = new DatabaseSync(path.join(core.root, 'metadata.db'));
  for (const change of [`replace(target, 'sha256', 'sha255')`, `replace(target, '{', '[')`, `'null'`]) {
    db.exec(`update images set target = ${change}`);
    expect([await core.images.list(), await rejection(core.images.get('a'))]).toEqual([[], 'DataLoss: image "a": its record is damaged']);
    expect((await core.collectGarbage()).blobs).toEqual([]);
    await core.images.put({ name: 'a', target: manifest });
  }
  // Labels that cannot be read are none, and are made again.
  db.exec(`update blobs set labels = '{"' where labels != '{}'`);
  db.close();
  expect(told).toEqual(['a', 'a', 'a']);
  expect((await core.collectGarbage()).blobs).toEqual([digestOf('garbage')]);
  expect(Object.keys((await core.content.info(manifest.digest)).labels)).toContain('containerd.io/gc.ref.content.config');
});
