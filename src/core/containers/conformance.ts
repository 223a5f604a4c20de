import { expect, test } from 'bun:test';
import type { RuntimeSpec } from '../../oci/index.ts';
import { rejection } from '../fixtures.ts';
import type { ContainerStore, NewContainer } from './containers.ts';

const container: NewContainer = { id: 'c1', labels: { a: 'b' }, image: 'i', snapshotKey: 's', spec: undefined, extensions: { docker: { tty: true } } };

export function containersConformance(open: () => Promise<{ readonly store: ContainerStore } & AsyncDisposable>): void {
  test('containers are made, changed, listed and removed', async () => {
    await using place = await open();
    const made = await place.store.create(container);
    const { createdAt: _made, updatedAt: _changed, ...facts } = made;
    expect(facts).toEqual(container);
    expect(await rejection(place.store.create(container))).toBe('AlreadyExists: container "c1": already exists');
    const changed = await place.store.update('c1', { labels: {}, extensions: { docker: null } });
    expect([changed.labels, changed.extensions, changed.image, changed.createdAt]).toEqual([{}, { docker: null }, 'i', made.createdAt]);
    await place.store.create({ ...container, id: 'c2' });
    expect((await place.store.list()).map(({ id }) => id).sort()).toEqual(['c1', 'c2']);
    await place.store.update('c2', { labels: { 'io.x': 'y' } });
    expect((await place.store.list(['labels.io.x==y'])).map(({ id }) => id)).toEqual(['c2']);
    expect((await place.store.list(['id==c1,image==i'])).map(({ id }) => id)).toEqual(['c1']);
    await place.store.delete('c1');
    for (const answer of [place.store.get('c1'), place.store.delete('c1'), place.store.update('c1', {})])
      expect(await rejection(answer)).toBe('NotFound: container "c1": not found');
  });

  test('limits of 64 bits survive', async () => {
    await using place = await open();
    const spec = { ociVersion: '1.3.0', process: { rlimits: [{ type: 'RLIMIT_CORE', soft: 18446744073709551615n, hard: 1 }] } } as unknown as RuntimeSpec;
    expect((await place.store.create({ ...container, spec })).spec).toEqual(spec);
  });

  test.each(['', '../x', 'a/b', '.a', 'a\n', 'a'.repeat(77)])('%p is no id', async (id) => {
    await using place = await open();
    expect(await rejection(place.store.create({ ...container, id }))).toBe(`InvalidArgument: container id ${JSON.stringify(id)} is not valid`);
  });
}
