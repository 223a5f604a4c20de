import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { shimSandbox } from '../../../api/containerd/index.ts';
import { checkIdentifier, errorCode, errorMessage, type Logger, StrakeError, silentLogger } from '../../../base/index.ts';
import type { Launcher } from '../../../kernel/index.ts';
import { Bundle } from './bundle.ts';
import { type FoundBundle, visitBundles } from './find-bundles.ts';
import { resolveRuntime } from './resolve-runtime.ts';
import { ShimBinary, type ShimCaller } from './shim-binary.ts';
import { connectShimSandbox, type SandboxConnection } from './shim-connection.ts';
import { ShimLog } from './shim-log.ts';
import type { ShimEndpoint, TypedOptions } from './shim-tasks.ts';

export interface ShimSandboxesOptions {
  /** Bundles are in `io.containerd.sandbox.controller.v1.shim/NAMESPACE/ID` below it, as containerd's are below its own. */
  readonly stateDirectory: string;
  readonly caller: ShimCaller;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly log?: Logger;
}

export interface CreateShimSandbox {
  readonly namespace: string;
  readonly id: string;
  readonly runtime: string;
  readonly runtimeOptions: TypedOptions | undefined;
  /** config.json; absent: the bundle has none */
  readonly spec: Uint8Array | undefined;
  /** What the shim is told besides its bundle. */
  readonly request: Omit<MessageInitShape<typeof shimSandbox.CreateSandboxRequestSchema>, '$typeName' | 'sandboxId' | 'bundlePath'>;
  readonly signal?: AbortSignal | undefined;
}

/** A shim that was asked for a sandbox, which may be asked for its tasks too. */
export interface OpenShimSandbox {
  readonly endpoint: ShimEndpoint;
  readonly service: SandboxConnection['sandbox'];
}

interface Known {
  readonly bundle: Bundle;
  readonly binary: ShimBinary;
  readonly endpoint: ShimEndpoint;
  /** Reads what the shim says: else it waits. */
  readonly shimLog: ShimLog;
  /** Undefined once it has ended. */
  connection: SandboxConnection | undefined;
}

const connectTimeoutMs = 5_000;
const createTimeoutMs = 120_000;

/** Shims that were started for sandboxes. */
export class ShimSandboxes {
  private readonly options: ShimSandboxesOptions;
  private readonly log: Logger;
  private readonly directory: string;
  private readonly sandboxes = new Map<string, Known>();
  private readonly creating = new Set<string>();

  constructor(options: ShimSandboxesOptions) {
    this.options = options;
    this.log = options.log ?? silentLogger;
    this.directory = path.join(options.stateDirectory, 'io.containerd.sandbox.controller.v1.shim');
    mkdirSync(this.directory, { recursive: true, mode: 0o711 });
  }

  /** AlreadyExists for an id that its namespace has; Unimplemented where the shim knows no sandboxes. After a failure nothing is left of it. */
  async create(create: CreateShimSandbox): Promise<void> {
    const { namespace, id } = create;
    checkIdentifier(namespace);
    checkIdentifier(id);
    const key = keyOf(namespace, id);
    if (this.sandboxes.has(key) || this.creating.has(key))
      throw new StrakeError('AlreadyExists', `sandbox ${id} already running`, { fields: { layer: 'core' } });
    this.creating.add(key);
    try {
      this.sandboxes.set(key, await this.launch(create));
    } finally {
      this.creating.delete(key);
    }
  }

  has(namespace: string, id: string): boolean {
    return this.sandboxes.has(keyOf(namespace, id));
  }

  /** Where its tasks may be made too. */
  endpointOf(namespace: string, id: string): ShimEndpoint | undefined {
    return this.sandboxes.get(keyOf(namespace, id))?.endpoint;
  }

  /** NotFound when there is none, Unavailable when its shim has gone. */
  async open(namespace: string, id: string): Promise<OpenShimSandbox> {
    const known = this.sandboxes.get(keyOf(namespace, id));
    if (known === undefined) throw new StrakeError('NotFound', `sandbox ${JSON.stringify(id)}`, { fields: { layer: 'core' } });
    known.connection ??= watched(known, await connectShimSandbox({ endpoint: known.endpoint, namespace, timeoutMs: connectTimeoutMs }));
    return { endpoint: known.endpoint, service: known.connection.sandbox };
  }

  /** What a shim that has gone left, the shim's own command removes. */
  async remove(namespace: string, id: string): Promise<void> {
    const key = keyOf(namespace, id);
    const known = this.sandboxes.get(key);
    if (known === undefined) return;
    this.sandboxes.delete(key);
    known.connection?.close();
    known.shimLog.close();
    await this.cleanUp({ namespace, id }, known);
  }

  /** After a start of the daemon: finds the sandboxes of shims that live, and cleans up after those that do not. */
  async recover(): Promise<void> {
    await visitBundles(this.directory, async (found) => await this.adopt(found));
  }

  /** Lets go of every shim. They live on. */
  close(): void {
    for (const { connection, shimLog } of this.sandboxes.values()) {
      connection?.close();
      shimLog.close();
    }
    this.sandboxes.clear();
  }

  private async adopt({ namespace, id }: FoundBundle): Promise<void> {
    const bundle = new Bundle(path.join(this.directory, namespace, id), this.options.launcher);
    const binary = new ShimBinary(bundle.readShimPath() ?? '', this.options.caller);
    const endpoint = bundle.readEndpoint();
    const shimLog = new ShimLog(bundle.logPath, this.logOf(namespace, id));
    let connection: SandboxConnection | undefined;
    try {
      if (endpoint === undefined) throw new StrakeError('Unavailable', 'its shim was not started');
      connection = await connectShimSandbox({ endpoint, namespace, timeoutMs: connectTimeoutMs });
      await connection.sandbox.pingSandbox({ sandboxId: id }, { timeoutMs: connectTimeoutMs });
      const known: Known = { bundle, binary, endpoint, shimLog, connection: undefined };
      known.connection = watched(known, connection);
      this.sandboxes.set(keyOf(namespace, id), known);
    } catch (error) {
      connection?.close();
      shimLog.close();
      this.log.warn('a sandbox has gone while nobody looked', { namespace, sandbox: id, error: errorMessage(error) });
      await this.cleanUp({ namespace, id }, { bundle, binary });
    }
  }

  private async launch({ namespace, id, runtime, runtimeOptions, spec, request, signal }: CreateShimSandbox): Promise<Known> {
    const binary = new ShimBinary(resolveRuntime(runtime), this.options.caller);
    const bundle = new Bundle(path.join(this.directory, namespace, id), this.options.launcher);
    await bundle.create(spec);
    const shimLog = new ShimLog(bundle.logPath, this.logOf(namespace, id));
    let connection: SandboxConnection | undefined;
    try {
      bundle.saveShimPath(binary.path);
      const endpoint = await binary.start({ namespace, id, bundle: bundle.directory, signal }, runtimeOptions);
      bundle.saveEndpoint(endpoint);
      connection = await connectShimSandbox({ endpoint, namespace, timeoutMs: connectTimeoutMs, signal });
      await connection.sandbox.createSandbox({ ...request, sandboxId: id, bundlePath: bundle.directory }, { signal, timeoutMs: createTimeoutMs });
      const known: Known = { bundle, binary, endpoint, shimLog, connection: undefined };
      known.connection = watched(known, connection);
      return known;
    } catch (error) {
      await connection?.sandbox.shutdownSandbox({ sandboxId: id }, { timeoutMs: connectTimeoutMs }).catch(() => undefined);
      // One that knows no sandboxes knows tasks.
      await connection?.task.shutdown({ id, now: false }, { timeoutMs: connectTimeoutMs }).catch(() => undefined);
      connection?.close();
      shimLog.close();
      await this.cleanUp({ namespace, id }, { bundle, binary });
      throw new StrakeError(errorCode(error), `failed to create sandbox ${id}: ${errorMessage(error)}`, { cause: error, fields: { layer: 'core' } });
    }
  }

  private logOf(namespace: string, id: string): Logger {
    return this.log.with({ namespace, sandbox: id });
  }

  private async cleanUp(
    { namespace, id }: { readonly namespace: string; readonly id: string },
    { bundle, binary }: Pick<Known, 'bundle' | 'binary'>,
  ): Promise<void> {
    const log = this.logOf(namespace, id);
    if (binary.path !== '')
      await binary
        .delete({ namespace, id, bundle: bundle.directory })
        .catch((error: unknown) => log.debug('a shim’s command had nothing to delete', { error: errorMessage(error) }));
    await bundle.remove(log).catch((error: unknown) => log.error('something of a sandbox is left', { bundle: bundle.directory, error: errorMessage(error) }));
  }
}

function watched(known: Known, connection: SandboxConnection): SandboxConnection {
  void connection.ended.then(() => {
    if (known.connection === connection) known.connection = undefined;
  });
  return connection;
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}
