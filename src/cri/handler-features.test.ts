import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { RuntimeInfoSchema } from '../api/containerd/index.ts';
import { StrakeError, silentLogger } from '../base/index.ts';
import { HandlerFeatures } from './handler-features.ts';

const saying = (value: object) => create(RuntimeInfoSchema, { features: { typeUrl: 'x', value: Buffer.from(JSON.stringify(value)) } });
const user = { namespaces: ['mount', 'user'] };

test.each([
  [saying({ mountOptions: ['ro', 'rro'], linux: { ...user, mountExtensions: { idmap: { enabled: true } } } }), true, true],
  [saying({ mountOptions: ['ro'], linux: user }), false, false],
  [saying({ linux: { namespaces: [], mountExtensions: { idmap: { enabled: true } } } }), false, false],
])('what a shim says: case %#', async (info, recursiveReadOnlyMounts, userNamespaces) => {
  const features = new HandlerFeatures({ askShim: async () => info, log: silentLogger });
  expect(await features.of({ name: 's', runtimeName: 'a.s.v1', isShim: true, needsPause: true })).toEqual({ recursiveReadOnlyMounts, userNamespaces });
});

test('a shim is asked once, and others never; one that does not tell can nothing', async () => {
  const asked: string[] = [];
  const askShim = async (name: string) => {
    asked.push(name);
    if (name === 'a.none.v1') throw new StrakeError('NotFound', 'none');
    return create(RuntimeInfoSchema);
  };
  const features = new HandlerFeatures({ askShim, log: silentLogger });
  const of = async (runtimeName: string) => await features.of({ name: 's', runtimeName, isShim: true, needsPause: true });
  expect([await of('a.none.v1'), await of('a.some.v1'), await of('a.none.v1')]).toEqual([{}, {}, {}]);
  expect(await features.of({ name: '', runtimeName: 'io.containerd.strake.v2', needsPause: false })).toEqual({
    recursiveReadOnlyMounts: true,
    userNamespaces: true,
  });
  expect(asked).toEqual(['a.none.v1', 'a.some.v1']);
});
