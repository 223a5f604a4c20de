import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { RuntimeInfoSchema } from '../../api/containerd/index.ts';
import { features } from '../../runtime/index.ts';

/** How containerd names the features of the OCI runtime specification in an Any. */
const featuresType = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features';

/** What the shim says of itself: a RuntimeInfo. `input`: the Any of the options that it is asked for, or nothing. */
export function runtimeInfo(input: Uint8Array, version: string): Uint8Array {
  const options = input.length === 0 ? {} : { options: fromBinary(AnySchema, input) };
  return toBinary(
    RuntimeInfoSchema,
    create(RuntimeInfoSchema, {
      name: 'io.containerd.strake.v2',
      version: { version },
      ...options,
      features: { typeUrl: featuresType, value: Buffer.from(JSON.stringify(features())) },
    }),
  );
}
