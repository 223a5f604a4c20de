import { expect, test } from 'bun:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { introspection, RuntimeInfoSchema, RuntimeRequestSchema } from '../../api/containerd/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';
import { askContainerd } from './ask-containerd.ts';

/** A containerd that says no more of its runtimes than their names, or nothing at all. */
function saying(name: string | undefined): Pick<GrpcConnection, 'client'> {
  const pluginInfo = async ({ type, id, options }: introspection.PluginInfoRequest) => {
    const asked = fromBinary(RuntimeRequestSchema, options?.value ?? new Uint8Array()).runtimePath;
    const value = toBinary(RuntimeInfoSchema, create(RuntimeInfoSchema, { name: `${name}: ${type} ${id} ${asked}` }));
    return create(introspection.PluginInfoResponseSchema, name === undefined ? {} : { extra: { typeUrl: RuntimeInfoSchema.typeName, value } });
  };
  return { client: () => ({ pluginInfo }) as never };
}

test('a containerd is asked as its own clients ask it', async () => {
  expect((await askContainerd(saying('it'))('a.shim.v2')).name).toBe('it: io.containerd.runtime.v2 task a.shim.v2');
  await expect(askContainerd(saying(undefined))('a.shim.v2')).rejects.toThrow('the containerd says nothing of its runtimes');
});
