import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../../../oci/index.ts';
import { openTestCore, rejection, type TestCore, testContainer } from '../../fixtures.ts';
import { putBlob } from '../../images/put-blob.ts';
import { namespacesConformance } from '../conformance.ts';

const target = (digest: string) => ({ mediaType: 'x', digest, size: 1 });
const fileOf = (core: TestCore, digest: string) => path.join(core.root, 'content/blobs/sha256', digest.slice(7));

async function put(core: Pick<TestCore, 'content'>, text: string): Promise<string> {
  const digest = digestOf(text);
  await putBlob(core.content, { mediaType: '', digest, size: text.length }, Buffer.from(text));
  return digest;
}

describe('local namespaces', () => {
  namespacesConformance(async () => {
    const core = openTestCore();
    return { store: core.namespaces, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });

  test('each has its own of everything, by the same names', async () => {
    using core = openTestCore();
    const [a, b] = [core.inNamespace('a'), core.inNamespace('b')];
    for (const stores of [a, b]) {
      await stores.images.create({ name: 'i', target: target(await put(stores, stores.namespace)) });
      await stores.containers.create(testContainer('c'));
      await stores.sandboxes.create({ id: 's', labels: {}, runtime: { name: 'r', options: undefined }, spec: undefined, sandboxer: '', extensions: {} });
      await stores.leaseStore.create({ id: 'l' });
      await stores.snapshots.prepare('k', undefined);
      await stores.snapshotter('native').prepare('k', undefined);
    }
    expect(readdirSync(path.join(core.root, 'snapshots'))).toHaveLength(4);
    await a.images.delete('i');
    await a.containers.delete('c');
    await a.sandboxes.delete('s');
    await a.leaseStore.delete('l');
    await a.snapshots.remove('k');
    expect([(await b.images.list()).length, (await b.containers.list()).length, (await b.sandboxes.list()).length, (await b.leaseStore.list()).length]).toEqual(
      [1, 1, 1, 1],
    );
    expect((await b.snapshots.stat('k')).kind).toBe('active');
    expect((await a.snapshotter('native').stat('k')).kind).toBe('active');
    expect(await rejection(a.snapshots.stat('k'))).toBe('NotFound: snapshot k does not exist: not found');
    expect(await rejection(Promise.try(() => a.snapshotter('zfs')))).toBe('NotFound: snapshotter not loaded: zfs: not found');
    expect(await rejection(Promise.try(() => core.inNamespace('a b')))).toStartWith('InvalidArgument: namespace validation: identifier "a b" must match ');
    expect(await rejection(core.namespaces.delete('b'))).toBe(
      'FailedPrecondition: namespace "b" must be empty, but it still has images, blobs, containers, snapshots on "native" snapshotter, snapshots on "overlayfs" snapshotter',
    );
    expect((await core.namespaces.list()).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a namespace that was deleted comes into being again with what is stored in it', async () => {
    using core = openTestCore();
    const a = core.inNamespace('a');
    for (let round = 0; round < 2; round++) {
      await a.containers.create(testContainer('c'));
      expect((await core.namespaces.get('a')).name).toBe('a');
      await a.containers.delete('c');
      await core.namespaces.delete('a');
    }
  });

  test('a blob is one file for all that have it, seen by those alone, and goes with the last', async () => {
    using core = openTestCore();
    const [a, b] = [core.inNamespace('a'), core.inNamespace('b')];
    const digest = await put(a, 'shared');
    expect(await rejection(b.content.info(digest))).toBe(`NotFound: content digest ${digest}: not found`);
    {
      await using writer = await b.content.writer({ ref: 'r', expectedDigest: digest, expectedSizeBytes: 6 });
      expect(writer.offsetBytes).toBe(6);
      expect((await b.content.ingests()).map(({ offsetBytes, totalBytes }) => [offsetBytes, totalBytes])).toEqual([[6, 6]]);
      // What is about to be taken stays, though nobody has it for the moment.
      await a.content.delete(digest);
      expect(existsSync(fileOf(core, digest))).toBe(true);
      expect(await rejection(writer.write(Buffer.from('x')))).toBe(`FailedPrecondition: ${digest}: more than the 6 bytes expected`);
      expect((await writer.commit({ labels: { x: 'y' } })).labels).toEqual({ x: 'y' });
    }
    expect([await b.content.ingests(), Buffer.from(await b.content.readAll(digest, 6)).toString()]).toEqual([[], 'shared']);
    expect(await rejection(a.content.info(digest))).toBe(`NotFound: content digest ${digest}: not found`);
    expect(await put(a, 'shared')).toBe(digest);
    await b.content.delete(digest);
    expect(existsSync(fileOf(core, digest))).toBe(true);
    await a.content.delete(digest);
    expect(existsSync(fileOf(core, digest))).toBe(false);
  });

  test('who will not take the bytes of another writes its own', async () => {
    using core = openTestCore();
    const digest = await put(core.inNamespace('a'), 'shared');
    const { content } = core.inNamespace('b');
    await using writer = await content.writer({ ref: 'r', expectedDigest: digest, expectedSizeBytes: 6 });
    await writer.truncate();
    expect(writer.offsetBytes).toBe(0);
    await writer.write(Buffer.from('sharee'));
    expect(await rejection(writer.commit({}))).toStartWith(`FailedPrecondition: unexpected commit digest`);
    expect([await content.ingests(), await rejection(content.info(digest))]).toEqual([[], `NotFound: content digest ${digest}: not found`]);
    expect(await rejection(content.writer({ ref: 'r', expectedDigest: digest, expectedSizeBytes: 7 }).then(async (open) => await open.commit({})))).toBe(
      `FailedPrecondition: "r" failed size validation: 0 != 7`,
    );
  });

  test('garbage is collected in all; nothing keeps things of another', async () => {
    using core = openTestCore();
    const [a, b] = [core.inNamespace('a'), core.inNamespace('b')];
    const digest = await put(a, 'shared');
    await put(b, 'shared');
    await a.images.create({ name: 'i', target: target(digest) });
    for (const stores of [a, b, core]) await stores.snapshots.prepare('k', undefined);
    await a.containers.create(testContainer('k'));
    await b.leaseStore.create({ id: 'l' });
    await b.leaseStore.addResource('l', { type: 'snapshots/native', id: 'k' });
    // That of the Engine may be of a container that is being made.
    expect(await core.collectGarbage()).toEqual({ blobs: [digest], snapshots: ['k'], freedBytes: 0 });
    expect([(await a.content.info(digest)).sizeBytes, (await a.snapshots.stat('k')).kind, (await core.snapshots.stat('k')).kind]).toEqual([
      6,
      'active',
      'active',
    ]);
    await a.images.delete('i');
    expect(await core.collectGarbage()).toEqual({ blobs: [digest], snapshots: [], freedBytes: 6 });
  });

  test('what was removed takes with it, some time later, what it alone kept', async () => {
    using core = openTestCore();
    const a = core.inNamespace('a');
    const digest = await put(a, 'x');
    await a.images.create({ name: 'i', target: target(digest) });
    const stop = new AbortController();
    const events = core.exchange.subscribe({ filters: ['topic=="/content/delete"'], signal: stop.signal })[Symbol.asyncIterator]();
    await using _collecting = core.collectWhenRemoved();
    await a.images.delete('i');
    expect((await events.next()).value?.payload).toEqual({ digest });
    stop.abort();
  });

  test('what is made with a lease is its, and stays as long as that', async () => {
    using core = openTestCore();
    const stores = core.inNamespace('a');
    await stores.leaseStore.create({ id: 'l' });
    const leased = stores.withLease('l');
    const digest = await put(leased, 'x');
    await leased.snapshots.prepare('active', undefined);
    await leased.snapshots.commit('base', 'active');
    await leased.snapshotter('native').view('v', undefined);
    // As another engine's work has it.
    await leased.snapshots.prepare('unpack-sha256:1', undefined);
    await leased.images.create({ name: 'i', target: target(digest) });
    expect(await stores.leaseStore.resources('l')).toEqual([
      { type: 'content', id: digest },
      { type: 'snapshots/native', id: 'v' },
      { type: 'snapshots/overlayfs', id: 'base' },
      { type: 'snapshots/overlayfs', id: 'unpack-sha256:1' },
    ]);
    await stores.images.delete('i');
    expect(await core.collectGarbage()).toEqual({ blobs: [], snapshots: [], freedBytes: 0 });
    await stores.leaseStore.delete('l');
    expect((await core.collectGarbage()).snapshots.toSorted()).toEqual(['base', 'unpack-sha256:1', 'v']);
    expect(await rejection(leased.snapshots.prepare('k', undefined))).toBe('NotFound: lease does not exist: not found');
    expect(await rejection(put(leased, 'y'))).toBe('NotFound: lease does not exist: not found');
  });

  test('what happens is told, with its namespace', async () => {
    using core = openTestCore();
    const stop = new AbortController();
    const events = core.exchange.subscribe({ filters: ['namespace==a'], signal: stop.signal });
    const [a] = [core.inNamespace('a'), await core.inNamespace('b').images.create({ name: 'i', target: target(digestOf('x')) })];
    const digest = await put(a, 'x');
    await a.images.put({ name: 'i', target: target(digest) });
    await a.images.update('i', { mergeLabels: { l: 'm' } });
    await a.snapshots.prepare('k', undefined);
    await a.snapshots.commit('base', 'k');
    await a.containers.create(testContainer('c'));
    await a.containers.update('c', { image: 'j' });
    await a.containers.delete('c');
    await a.images.delete('i');
    await core.collectGarbage();
    await core.namespaces.delete('a');
    const told: string[] = [];
    for await (const { topic, payload } of events) {
      told.push(
        `${topic} ${Object.values(payload)
          .filter((value) => typeof value === 'string')
          .join(' ')}`.trim(),
      );
      if (topic === '/namespaces/delete') break;
    }
    stop.abort();
    expect(told).toEqual([
      `/content/create ${digest}`,
      '/images/create i',
      '/images/update i',
      '/snapshot/prepare k  overlayfs',
      '/snapshot/commit k base overlayfs',
      '/containers/create c i',
      '/containers/update c j c',
      '/containers/delete c',
      '/images/delete i',
      `/content/delete ${digest}`,
      '/snapshot/remove base overlayfs',
      '/namespaces/delete a',
    ]);
  });
});
