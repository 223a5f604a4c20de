import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace } from '../fixtures-conformance.ts';
import type { LeaseStore } from './leases.ts';

export function leasesConformance(open: () => Promise<{ readonly store: LeaseStore } & TestedPlace & AsyncDisposable>): void {
  test('leases are made, found and deleted with their resources', async () => {
    await using place = await open();
    const { store } = place;
    const made = await store.create({ id: 'a', labels: { 'containerd.io/gc.flat': 'x' } });
    expect([made.id, made.labels]).toEqual(['a', { 'containerd.io/gc.flat': 'x' }]);
    const random = await store.create();
    expect(random.id).not.toBe('');
    await expectRejection(place, store.create({ id: 'a' }), 'AlreadyExists: lease "a": already exists');
    expect((await store.list(['id==a'])).map(({ id }) => id)).toEqual(['a']);
    expect((await store.list(['labels."containerd.io/gc.flat"'])).map(({ id }) => id)).toEqual(['a']);
    expect((await store.list()).map(({ id }) => id).sort()).toEqual(['a', random.id].sort());
    const content = { type: 'content', id: `sha256:${'1'.repeat(64)}` } as const;
    const snapshot = { type: 'snapshots/overlayfs', id: 's' } as const;
    for (const resource of [snapshot, content, content]) await store.addResource('a', resource);
    expect(await store.resources('a')).toEqual([content, snapshot]);
    await store.deleteResource('a', content);
    expect(await store.resources('a')).toEqual([snapshot]);
    await store.delete('a');
    for (const ask of [() => store.delete('a'), () => store.resources('a'), () => store.addResource('a', content), () => store.deleteResource('a', content)])
      await expectRejection(place, ask(), 'NotFound: lease "a": not found');
    await store.create({ id: 'a' });
    expect(await store.resources('a')).toEqual([]);
  });

  test('what is not valid is refused', async () => {
    await using place = await open();
    await expectRejection(place, place.store.create({ id: '' }), 'InvalidArgument: lease id "" is not valid');
    await place.store.create({ id: 'a' });
    await expectRejection(
      place,
      place.store.addResource('a', { type: 'snapshots/../x', id: 's' }),
      'InvalidArgument: lease resource "snapshots/../x/s" is not valid',
    );
    await expectRejection(place, place.store.list(['=']), 'InvalidArgument: filters: parse error: [ >|=|< ]: expected field or quoted');
  });
}
