import type { MessageInitShape } from '@bufbuild/protobuf';
import type { RuntimeInfoSchema } from '../api/containerd/index.ts';
import { errorMessage, StrakeError } from '../base/index.ts';
import { runCommand } from '../kernel/index.ts';
import { features } from '../runtime/index.ts';
import { binaryOf, type TypedOptions, taskOptions } from './runtime-options.ts';

/** How containerd names the features of the OCI runtime specification in an Any. */
const featuresType = 'types.containerd.io/opencontainers/runtime-spec/1/features/Features';
const featuresTimeoutMs = 10_000;
const maxFeaturesBytes = 1 << 20;

export interface RuntimeInfoRequest {
  /** Those that a task would be made with. */
  readonly options: TypedOptions | undefined;
  /** Of this program. */
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
}

/** What stands behind `io.containerd.strake.v2` with these options, and what it can do: our own runtime, or what the `features` of another say. */
export async function runtimeInfo({ options, version, signal }: RuntimeInfoRequest): Promise<MessageInitShape<typeof RuntimeInfoSchema>> {
  const binary = binaryOf(taskOptions(options));
  const features_ = binary === undefined ? Buffer.from(JSON.stringify(features())) : await featuresOf(binary, signal);
  return {
    name: 'io.containerd.strake.v2',
    version: { version },
    ...(options === undefined ? {} : { options: { typeUrl: options.typeUrl, value: options.value } }),
    features: { typeUrl: featuresType, value: features_ },
  };
}

async function featuresOf(binary: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const { failure, output, words } = await runCommand({ path: binary, args: ['features'], cwd: '/', timeoutMs: featuresTimeoutMs, signal, layer: 'shim' });
    if (failure !== undefined) throw new StrakeError('Unavailable', [words, failure].filter(Boolean).join(': '));
    if (output.length > maxFeaturesBytes) throw new StrakeError('OutOfRange', `more than ${maxFeaturesBytes} bytes`);
    JSON.parse(output.toString());
    return output;
  } catch (cause) {
    throw new StrakeError('Unavailable', `${binary} features: ${errorMessage(cause).trim()}`, { cause, fields: { layer: 'shim' } });
  }
}
