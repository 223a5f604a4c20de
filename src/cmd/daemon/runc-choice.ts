import { create, toBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../../api/containerd/index.ts';
import type { RuntimeChoice } from '../../core/index.ts';
import { runcShim } from './runtimes.ts';

/** An OCI runtime's command by way of the shim that takes any: as dockerd and `ctr run --runc-binary` name it. */
export function runcChoice(program: string): RuntimeChoice {
  const { OptionsSchema } = runcOptions;
  return { name: runcShim, options: { typeUrl: OptionsSchema.typeName, value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName: program })) } };
}
