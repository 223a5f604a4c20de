import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace, wrongIdentifiers } from '../fixtures-conformance.ts';
import type { NamespaceStore } from './namespaces.ts';

export function namespacesConformance(open: () => Promise<{ readonly store: NamespaceStore } & TestedPlace & AsyncDisposable>): void {
  test('namespaces are made, labelled, listed and removed', async () => {
    await using place = await open();
    const { store } = place;
    const names = async () => (await store.list()).map(({ name }) => name).filter((name) => name.startsWith('t'));
    expect(await store.create({ name: 't2', labels: { a: 'b' } })).toEqual({ name: 't2', labels: { a: 'b' } });
    await store.create({ name: 't1' });
    await expectRejection(place, store.create({ name: 't1' }), 'AlreadyExists: namespace "t1": already exists');
    expect(await names()).toEqual(['t1', 't2']);
    expect((await store.mergeLabels('t2', { a: '', c: 'd', e: 'f' })).labels).toEqual({ c: 'd', e: 'f' });
    expect((await store.setLabels('t2', { g: 'h' })).labels).toEqual({ g: 'h' });
    expect(await store.get('t2')).toEqual({ name: 't2', labels: { g: 'h' } });
    await store.delete('t2');
    expect(await names()).toEqual(['t1']);
    await expectRejection(place, store.delete('t2'), 'NotFound: namespace "t2": not found');
    await store.delete('t1');
  });

  for (const [name, problem] of wrongIdentifiers)
    test(`${JSON.stringify(name)} is no namespace`, async () => {
      await using place = await open();
      await expectRejection(place, place.store.create({ name }), `InvalidArgument: ${problem}`);
    });
}
