import { expect, test } from 'bun:test';
import { rejection } from '../fixtures.ts';
import type { Snapshotter } from './snapshots.ts';

export interface SnapshotPlace extends AsyncDisposable {
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
    expect(await store.usage('a')).toEqual({ sizeBytes: 4, inodes: 2 });
    await store.commit('base', 'a');
    expect(await rejection(store.stat('a'))).toBe('NotFound: snapshot a does not exist: not found');
    const base = await store.stat('base');
    expect([base.kind, base.parent, base.labels]).toEqual(['committed', undefined, { x: 'y' }]);
    expect(await store.usage('base')).toEqual({ sizeBytes: 4, inodes: 2 });
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
    expect(await rejection(store.remove('base'))).toBe('FailedPrecondition: snapshot base has children, such as b');
    for (const key of ['b', 'v', 'base']) await store.remove(key);
    expect(await Array.fromAsync(store.walk())).toEqual([]);
  });

  test('layers committed in order after being written in parallel', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('u1', undefined);
    await store.prepare('u2', undefined);
    await place.write('u2', 'two', '2');
    expect(await rejection(store.commit('two', 'u2', { parent: 'one' }))).toBe('NotFound: parent snapshot one does not exist: not found');
    await place.write('u1', 'one', '1');
    await store.commit('one', 'u1', { usage: { sizeBytes: 10, inodes: 3 } });
    await store.commit('two', 'u2', { parent: 'one', labels: { l: '2' } });
    expect((await store.stat('two')).parent).toBe('one');
    expect(await store.usage('one')).toEqual({ sizeBytes: 10, inodes: 3 });
  });

  test('what is not possible says so', async () => {
    await using place = await open();
    const { store } = place;
    await store.prepare('a', undefined);
    for (const [answer, message] of [
      [store.prepare('a', undefined), 'AlreadyExists: snapshot "a": already exists'],
      [store.view('a', undefined), 'AlreadyExists: snapshot "a": already exists'],
      [store.prepare('b', 'none'), 'NotFound: parent snapshot none does not exist: not found'],
      [store.prepare('b', 'a'), 'InvalidArgument: snapshot a is not committed: it cannot be a parent'],
      [store.prepare('', undefined), 'InvalidArgument: snapshot key "" is not valid'],
      [store.mounts('none'), 'NotFound: snapshot none does not exist: not found'],
      [store.commit('a', 'a'), 'AlreadyExists: snapshot "a": already exists'],
      [store.remove('none'), 'NotFound: snapshot none does not exist: not found'],
    ] as const)
      expect(await rejection(answer)).toBe(message);
    await store.commit('base', 'a');
    expect(await rejection(store.commit('other', 'base'))).toBe('FailedPrecondition: snapshot base is committed, not active');
    expect(await rejection(store.mounts('base'))).toBe('FailedPrecondition: snapshot base is committed: prepare or view a child of it');
  });
}
