import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace } from '../fixtures-conformance.ts';
import type { Snapshotter } from './snapshots.ts';

export interface SnapshotPlace extends TestedPlace, AsyncDisposable {
  readonly store: Snapshotter;
  /** Writes a file into an active snapshot. */
  write(key: string, name: string, content: string): Promise<void>;
}

export function snapshotsConformance(open: () => Promise<SnapshotPlace>): void {
  test('active, committed, child: kinds, parents and usage', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('a', undefined, { x: 'y' });
    await place.write('a', 'file', 'four');
    // containerd counts blocks.
    const usage = place.isPeer ? { sizeBytes: expect.any(Number), inodes: 2 } : { sizeBytes: 4, inodes: 2 };
    expect(await store.usage('a')).toEqual(usage);
    await store.commit('base', 'a');
    await expectRejection(place, store.stat('a'), 'NotFound: snapshot a does not exist: not found');
    const base = await store.stat('base');
    expect([base.kind, base.parent, base.labels]).toEqual(['committed', undefined, { x: 'y' }]);
    expect(await store.usage('base')).toEqual(usage);
    await store.prepare('b', 'base');
    expect([(await store.stat('b')).kind, (await store.stat('b')).parent]).toEqual(['active', 'base']);
    await store.view('v', 'base');
    expect((await store.stat('v')).kind).toBe('view');
    expect((await Array.fromAsync(store.walk())).map(({ key }) => key).sort()).toEqual(['b', 'base', 'v']);
    const found = async (...filters: string[]) => (await Array.fromAsync(store.walk(filters))).map(({ key }) => key).sort();
    expect([await found('kind==committed'), await found('parent==base'), await found('name==v'), await found('labels.x==y')]).toEqual([
      ['base'],
      ['b', 'v'],
      ['v'],
      ['base'],
    ]);
    await expectRejection(place, store.remove('base'), 'FailedPrecondition: snapshot base has children, such as b');
    for (const key of ['b', 'v', 'base']) await store.remove(key);
    expect(await Array.fromAsync(store.walk())).toEqual([]);
  });

  test('layers committed in order after being written in parallel', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('u1', undefined);
    await store.prepare('u2', undefined);
    await place.write('u2', 'two', '2');
    if (place.isRemote === true) {
      await expectRejection(place, store.commit('two', 'u2', { parent: 'one' }), 'Unimplemented: snapshot u2: a parent cannot be given at the commit');
      return;
    }
    await expectRejection(place, store.commit('two', 'u2', { parent: 'one' }), 'NotFound: parent snapshot one does not exist: not found');
    await place.write('u1', 'one', '1');
    await store.commit('one', 'u1', { usage: { sizeBytes: 10, inodes: 3 } });
    await store.commit('two', 'u2', { parent: 'one', labels: { l: '2' } });
    expect((await store.stat('two')).parent).toBe('one');
    expect(await store.usage('one')).toEqual({ sizeBytes: 10, inodes: 3 });
  });

  test('labels are replaced, and changed one by one', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('a', undefined, { x: 'y' });
    expect((await store.mergeLabels('a', { l: 'm', n: 'o' })).labels).toEqual({ x: 'y', l: 'm', n: 'o' });
    expect((await store.mergeLabels('a', { l: '', n: 'p' })).labels).toEqual({ x: 'y', n: 'p' });
    expect((await store.setLabels('a', { q: 'r', empty: '' })).labels).toEqual({ q: 'r' });
    expect((await store.stat('a')).labels).toEqual({ q: 'r' });
    await expectRejection(place, store.setLabels('none', {}), 'NotFound: snapshot none does not exist: not found');
  });

  test('a child shows what its parent has', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('a', undefined);
    await store.commit('base', 'a');
    const active = await store.prepare('b', 'base');
    const view = await store.view('v', 'base');
    const below = view.type === 'bind' ? view.source : '';
    expect([active.readonly, view.type, view.readonly]).toEqual([false, 'bind', true]);
    const { dir } = await store.unpackTarget('b');
    if (active.type === 'overlay') expect([active.upper, active.lowers]).toEqual([dir, [below]]);
    else expect(active.source).toBe(dir);
    expect([await store.mounts('b'), await store.mounts('v')]).toEqual([active, view]);
  });

  test('what is not possible says so', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('a', undefined);
    for (const [ask, message] of [
      [() => store.prepare('a', undefined), 'AlreadyExists: snapshot "a": already exists'],
      [() => store.view('a', undefined), 'AlreadyExists: snapshot "a": already exists'],
      [() => store.prepare('b', 'none'), 'NotFound: parent snapshot none does not exist: not found'],
      [() => store.prepare('b', 'a'), 'InvalidArgument: snapshot a is not committed: it cannot be a parent'],
      [() => store.prepare('', undefined), 'InvalidArgument: snapshot key "" is not valid'],
      [() => store.mounts('none'), 'NotFound: snapshot none does not exist: not found'],
      [() => store.commit('a', 'a'), 'AlreadyExists: snapshot "a": already exists'],
      [() => store.remove('none'), 'NotFound: snapshot none does not exist: not found'],
    ] as const)
      await expectRejection(place, ask(), message);
    await store.commit('base', 'a');
    await expectRejection(place, store.commit('other', 'base'), 'FailedPrecondition: snapshot base is committed, not active');
    await expectRejection(place, store.mounts('base'), 'FailedPrecondition: snapshot base is committed: prepare or view a child of it');
  });
}
