import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace, wrongIdentifiers } from '../fixtures-conformance.ts';
import { type ContainerStore, type NewContainer, specType } from './containers.ts';

const json = (typeUrl: string, value: unknown) => ({ typeUrl, value: Buffer.from(JSON.stringify(value)) });
const container: NewContainer = {
  id: 'c1',
  labels: { a: 'b' },
  image: 'i',
  runtime: { name: 'io.containerd.runc.v2', options: json('x.Options', { a: 1 }) },
  spec: json(specType, { ociVersion: '1.3.0' }),
  snapshotter: 'overlayfs',
  snapshotKey: 's',
  sandboxId: '',
  extensions: { docker: json('x', { tty: true }), bytes: { typeUrl: 'y', value: Buffer.from([0xff, 0, 0x80]) } },
};
/** As bytes of one class, whatever the store answers. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, entry: unknown) =>
      entry instanceof Uint8Array
        ? Buffer.from(entry).toString('hex')
        : (entry as { readonly type?: string } | null)?.type === 'Buffer'
          ? Buffer.from((entry as { readonly data: number[] }).data).toString('hex')
          : entry,
    ),
  );

export function containersConformance(open: () => Promise<{ readonly store: ContainerStore } & TestedPlace & AsyncDisposable>): void {
  test('containers are made, changed, listed and removed', async () => {
    await using place = await open();
    const made = await place.store.create(container);
    const { createdAt: _made, updatedAt: _changed, ...facts } = made;
    expect(plain(facts)).toEqual(plain(container));
    await expectRejection(place, place.store.create(container), 'AlreadyExists: container "c1": already exists');
    const changed = await place.store.update('c1', { labels: { c: 'd', e: '' }, extensions: { docker: json('x', null) } });
    expect([changed.labels, plain(changed.extensions['docker']), changed.image, changed.createdAt]).toEqual([
      { c: 'd' },
      plain(json('x', null)),
      'i',
      made.createdAt,
    ]);
    const merged = await place.store.update('c1', { mergeLabels: { c: '', f: 'g' }, mergeExtensions: { other: json('y', 1) }, image: 'j' });
    expect([merged.labels, Object.keys(merged.extensions), merged.image]).toEqual([{ f: 'g' }, expect.arrayContaining(['docker', 'other']), 'j']);
    await place.store.create({ ...container, id: 'c2' });
    expect((await place.store.list()).map(({ id }) => id).sort()).toEqual(['c1', 'c2']);
    await place.store.update('c2', { labels: { 'io.x': 'y' } });
    expect((await place.store.list(['labels.io.x==y'])).map(({ id }) => id)).toEqual(['c2']);
    expect((await place.store.list(['id==c1,image==j,runtime.name~=runc'])).map(({ id }) => id)).toEqual(['c1']);
    await place.store.delete('c1');
    // One after the other: a rejection that nobody awaits yet fails the test.
    for (const ask of [() => place.store.get('c1'), () => place.store.delete('c1'), () => place.store.update('c1', {})])
      await expectRejection(place, ask(), 'NotFound: container "c1" in namespace "moby": not found');
  });

  for (const [wrong, message] of [
    [{ runtime: { name: '', options: undefined } }, 'container.Runtime.Name must be set'],
    [{ snapshotter: '' }, 'container.Snapshotter must be set if container.SnapshotKey is set'],
    [{ extensions: { '': json('x', 1) } }, 'container.Extension keys must not be zero-length'],
    [{ labels: { key: 'v'.repeat(4094) } }, 'containers.Labels: label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: key'],
  ] as const)
    test(message.slice(0, 60), async () => {
      await using place = await open();
      await expectRejection(place, place.store.create({ ...container, ...wrong }), `InvalidArgument: ${message}`);
      expect(await place.store.list()).toEqual([]);
    });

  for (const [id, problem] of wrongIdentifiers)
    test(`${JSON.stringify(id)} is no id`, async () => {
      await using place = await open();
      await expectRejection(place, place.store.create({ ...container, id }), `InvalidArgument: container.ID: ${problem}`);
    });
}
