import { StrakeError } from '../../base/index.ts';
import type { ShimSandboxes } from '../../core/tasks/index.ts';
import { isOwnRuntime } from '../tasks/task-hosts.ts';
import type { NewRunningSandbox, RunningSandbox, SandboxHost } from './sandbox-host.ts';

export interface SandboxHostsOptions {
  readonly inProcess: SandboxHost;
  readonly shims: ShimSandboxes;
  /** What stands for a runtime's name: only a shim can for a sandbox's. */
  readonly shimOf: (runtime: string) => string | undefined;
}

/** The name of a sandbox's runtime decides who runs it, as with tasks. */
export class SandboxHosts implements SandboxHost {
  private readonly options: SandboxHostsOptions;

  constructor(options: SandboxHostsOptions) {
    this.options = options;
  }

  async create(sandbox: NewRunningSandbox): Promise<void> {
    const { inProcess, shims, shimOf } = this.options;
    const shim = shimOf(sandbox.runtime) ?? (isOwnRuntime(sandbox.runtime) ? undefined : sandbox.runtime);
    if (this.has(sandbox.namespace, sandbox.id))
      throw new StrakeError('AlreadyExists', `sandbox ${sandbox.id} already running`, { fields: { layer: 'containerd' } });
    if (shim === undefined) return await inProcess.create(sandbox);
    const { namespace, id, runtimeOptions, spec, rootfs, options, netnsPath, annotations, signal } = sandbox;
    const request = { rootfs: [...rootfs], netnsPath, annotations: { ...annotations }, ...(options === undefined ? {} : { options }) };
    await shims.create({ namespace, id, runtime: shim, runtimeOptions, spec, request, signal });
  }

  has(namespace: string, id: string): boolean {
    return this.options.inProcess.has(namespace, id) || this.options.shims.has(namespace, id);
  }

  async open(namespace: string, id: string): Promise<RunningSandbox> {
    const { inProcess, shims } = this.options;
    if (inProcess.has(namespace, id)) return await inProcess.open(namespace, id);
    const { service, endpoint } = await shims.open(namespace, id);
    return { service, address: endpoint.address, version: endpoint.version };
  }

  async remove(namespace: string, id: string): Promise<void> {
    await this.options.inProcess.remove(namespace, id);
    await this.options.shims.remove(namespace, id);
  }
}
