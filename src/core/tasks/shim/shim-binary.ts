import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AnySchema, timestampDate } from '@bufbuild/protobuf/wkt';
import { bootstrap, type RuntimeInfo, RuntimeInfoSchema, shimTask } from '../../../api/containerd/index.ts';
import { errorMessage, StrakeError } from '../../../base/index.ts';
import { runShimCommand } from './shim-command.ts';
import type { ShimEndpoint, ShimExit, TypedOptions } from './shim-tasks.ts';
import { parseStartAnswer } from './start-answer.ts';

/** Who asks shims to start, and where they find it again. */
export interface ShimCaller {
  /** unix socket paths: of containerd's gRPC, and of its ttrpc, where shims send their events */
  readonly address: string;
  readonly ttrpcAddress: string;
  readonly version: string;
  /** An executable of ours: very old shims publish their events by it. */
  readonly binary: string;
  readonly debug?: boolean;
  /** Where shims that can be told (containerd 2.3 on) put their sockets; theirs when absent. */
  readonly socketDirectory?: string;
}

export interface ShimInstance {
  readonly namespace: string;
  readonly id: string;
  readonly bundle: string;
  readonly signal?: AbortSignal | undefined;
}

const startTimeoutMs = 60_000;
/** As containerd gives it. */
const deleteTimeoutMs = 5_000;
const infoTimeoutMs = 10_000;

/** A shim's executable and its verbs: containerd's docs/runtime-v2.md. */
export class ShimBinary {
  readonly path: string;
  private readonly caller: ShimCaller;

  constructor(path: string, caller: ShimCaller) {
    this.path = path;
    this.caller = caller;
  }

  /** Starts a shim, or finds the one that takes this instance too, and says how it is reached. */
  async start(instance: ShimInstance, options: TypedOptions | undefined): Promise<ShimEndpoint> {
    const answer = await runShimCommand({
      path: this.path,
      args: [...this.flags(instance), 'start'],
      cwd: instance.bundle,
      env: this.environment(instance),
      stdin: this.parameters(instance, options),
      timeoutMs: startTimeoutMs,
      signal: instance.signal,
    });
    return parseStartAnswer(answer);
  }

  /** Deletes what a shim that has ended left: its container is killed and its root filesystem unmounted. */
  async delete(instance: ShimInstance): Promise<ShimExit> {
    const answer = await runShimCommand({
      path: this.path,
      args: [...this.flags(instance), '-bundle', instance.bundle, 'delete'],
      cwd: instance.bundle,
      env: this.environment(instance),
      timeoutMs: deleteTimeoutMs,
      signal: instance.signal,
    });
    const { pid, exitStatus, exitedAt } = this.decode(() => fromBinary(shimTask.DeleteResponseSchema, answer));
    return { pid, code: exitStatus, at: exitedAt === undefined ? new Date() : timestampDate(exitedAt) };
  }

  async info(options: TypedOptions | undefined, signal: AbortSignal | undefined): Promise<RuntimeInfo> {
    const stdin = options === undefined ? new Uint8Array() : toBinary(AnySchema, create(AnySchema, options));
    const answer = await runShimCommand({ path: this.path, args: ['-info'], cwd: '/', stdin, timeoutMs: infoTimeoutMs, signal });
    return this.decode(() => fromBinary(RuntimeInfoSchema, answer));
  }

  private flags({ namespace, id }: ShimInstance): string[] {
    const { address, binary, debug } = this.caller;
    return ['-namespace', namespace, '-address', address, '-publish-binary', binary, '-id', id, ...(debug ? ['-debug'] : [])];
  }

  private environment({ namespace }: ShimInstance): Record<string, string> {
    const { address, ttrpcAddress } = this.caller;
    return { TTRPC_ADDRESS: ttrpcAddress, GRPC_ADDRESS: address, NAMESPACE: namespace, MAX_SHIM_VERSION: '2', GOMAXPROCS: '2' };
  }

  private parameters({ namespace, id }: ShimInstance, options: TypedOptions | undefined): Uint8Array {
    const { address, ttrpcAddress, version, binary, debug, socketDirectory } = this.caller;
    const { BootstrapParamsSchema, LogLevel } = bootstrap;
    const parameters: MessageInitShape<typeof BootstrapParamsSchema> = {
      instanceId: id,
      namespace,
      logLevel: debug ? LogLevel.DEBUG : LogLevel.INFO,
      containerdVersion: version,
      containerdGrpcAddress: address,
      containerdTtrpcAddress: ttrpcAddress,
      containerdBinary: binary,
      extensions: options === undefined ? [] : [{ value: { typeUrl: options.typeUrl, value: options.value } }],
      ...(socketDirectory === undefined ? {} : { socketDir: socketDirectory }),
    };
    return toBinary(BootstrapParamsSchema, create(BootstrapParamsSchema, parameters));
  }

  private decode<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw new StrakeError('Unavailable', `${this.path} answered what cannot be read: ${errorMessage(error)}`, { cause: error, fields: { layer: 'core' } });
    }
  }
}
