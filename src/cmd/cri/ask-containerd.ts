import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { introspection, RuntimeInfoSchema, RuntimeRequestSchema } from '../../api/containerd/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { CriOptions } from '../../cri/index.ts';
import type { GrpcConnection } from '../../rpc/grpc/index.ts';

/** The plugin that containerd asks about runtimes. */
const runtimes = { type: 'io.containerd.runtime.v2', id: 'task' } as const;

/** What a shim of another containerd's says of itself. */
export function askContainerd(connection: Pick<GrpcConnection, 'client'>): CriOptions['askShim'] {
  const client = connection.client(introspection.Introspection);
  return async (runtimePath) => {
    const request = { typeUrl: RuntimeRequestSchema.typeName, value: toBinary(RuntimeRequestSchema, create(RuntimeRequestSchema, { runtimePath })) };
    const { extra } = await client.pluginInfo({ ...runtimes, options: request });
    if (extra === undefined) throw new StrakeError('Unimplemented', 'the containerd says nothing of its runtimes', { fields: { layer: 'cri' } });
    return fromBinary(RuntimeInfoSchema, extra.value);
  };
}
