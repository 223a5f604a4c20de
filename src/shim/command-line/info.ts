import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { RuntimeInfoSchema } from '../../api/containerd/index.ts';
import { runtimeInfo } from '../runtime-info.ts';

/** What the shim says of itself: a RuntimeInfo. `input`: the Any of the options that it is asked for, or nothing. */
export async function encodeInfo(input: Uint8Array, version: string): Promise<Uint8Array> {
  const options = input.length === 0 ? undefined : fromBinary(AnySchema, input);
  return toBinary(RuntimeInfoSchema, create(RuntimeInfoSchema, await runtimeInfo({ options, version })));
}
