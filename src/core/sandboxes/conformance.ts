import { expect, test } from 'bun:test';
import { expectRejection, type TestedPlace, wrongIdentifiers } from '../fixtures-conformance.ts';
import type { NewSandbox, SandboxStore } from './sandboxes.ts';

const json = (typeUrl: string, value: unknown) => ({ typeUrl, value: Buffer.from(JSON.stringify(value)) });
const textOf = (value: { readonly value: Uint8Array } | undefined) => Buffer.from(value?.value ?? []).toString();
const sandbox: NewSandbox = {
  id: 's1',
  labels: { a: 'b' },
  runtime: { name: 'io.containerd.runc.v2', options: json('x.Options', { a: 1 }) },
  spec: json('x.Spec', { b: 2 }),
  sandboxer: 'shim',
  extensions: { e: json('x', 'e') },
};

export function sandboxesConformance(open: () => Promise<{ readonly store: SandboxStore } & TestedPlace & AsyncDisposable>): void {
  test('sandboxes are made, changed, listed and removed', async () => {
    await using place = await open();
    const { store } = place;
    const made = await store.create(sandbox);
    expect([made.id, made.labels, made.runtime.name, made.sandboxer, textOf(made.runtime.options), textOf(made.spec), textOf(made.extensions['e'])]).toEqual([
      's1',
      { a: 'b' },
      'io.containerd.runc.v2',
      'shim',
      '{"a":1}',
      '{"b":2}',
      '"e"',
    ]);
    await expectRejection(place, store.create(sandbox), 'AlreadyExists: sandbox "s1": already exists');
    const changed = await store.update('s1', { labels: { c: 'd' }, spec: json('x.Spec', {}) });
    expect([changed.labels, textOf(changed.spec), changed.sandboxer]).toEqual([{ c: 'd' }, '{}', 'shim']);
    const merged = await store.update('s1', { mergeLabels: { c: '', f: 'g' }, mergeExtensions: { other: json('y', 1) } });
    expect([merged.labels, Object.keys(merged.extensions).sort()]).toEqual([{ f: 'g' }, ['e', 'other']]);
    await store.create({ ...sandbox, id: 's2' });
    expect((await store.list()).map(({ id }) => id)).toEqual(['s1', 's2']);
    expect((await store.list(['labels.f==g', 'id==s3'])).map(({ id }) => id)).toEqual(['s1']);
    expect((await store.get('s2')).id).toBe('s2');
    await store.delete('s1');
    for (const ask of [() => store.get('s1'), () => store.delete('s1'), () => store.update('s1', { labels: {} })])
      await expectRejection(place, ask(), 'NotFound: sandbox "s1": not found');
  });

  for (const [id, problem] of wrongIdentifiers)
    test(`${JSON.stringify(id)} is no id`, async () => {
      await using place = await open();
      await expectRejection(place, place.store.create({ ...sandbox, id }), `InvalidArgument: invalid sandbox ID: ${problem}`);
    });
}
