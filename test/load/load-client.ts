import type { tasks } from '../../src/api/containerd/index.ts';
import { specType } from '../../src/core/containers/containers.ts';
import type { NamespacedCore } from '../../src/core/index.ts';
import { toWireMounts } from '../../src/core/wire/mounts.ts';
import { formatJson, type RuntimeSpec } from '../../src/oci/index.ts';
import type { Client } from '../../src/rpc/grpc/index.ts';
import { defaultSpec } from '../../src/runtime/index.ts';

export interface LoadClientOptions {
  readonly stores: NamespacedCore;
  readonly tasks: Client<typeof tasks.Tasks>;
  /** The committed snapshot of the image. */
  readonly parent: string;
  /** Its name, or a shim's path. */
  readonly runtime: string;
}

/** What `ctr` asks for, call by call: a snapshot, a container, a task. */
export class LoadClient {
  readonly #options: LoadClientOptions;

  constructor(options: LoadClientOptions) {
    this.#options = options;
  }

  /** A whole life. Resolves with what it took, in ms; the exit status must be 7. */
  async live(id: string): Promise<number> {
    const begun = performance.now();
    await this.create(id, ['sh', '-c', 'exit 7']);
    const exit = this.#options.tasks.wait({ containerId: id });
    await Promise.all([exit, this.start(id)]);
    const { exitStatus } = await exit;
    if (exitStatus !== 7) throw new Error(`${id}: exit status ${exitStatus}`);
    await this.delete(id);
    return performance.now() - begun;
  }

  async create(id: string, args: readonly string[]): Promise<void> {
    await (await this.prepare(id, args))();
  }

  /** Its snapshot and its container. What it resolves with makes the task. */
  async prepare(id: string, args: readonly string[]): Promise<() => Promise<void>> {
    const { stores, tasks, parent, runtime } = this.#options;
    // What nothing refers to yet is garbage, but for a lease.
    await stores.leaseStore.create({ id });
    const mount = await stores.withLease(id).snapshots.prepare(id, parent);
    const spec = { typeUrl: specType, value: Buffer.from(formatJson(specOf(id, args))) };
    const { name: snapshotter } = stores.snapshots;
    await stores.containers.create({
      id,
      labels: {},
      image: '',
      runtime: { name: runtime, options: undefined },
      spec,
      snapshotter,
      snapshotKey: id,
      sandboxId: '',
      extensions: {},
    });
    await stores.leaseStore.delete(id);
    return async () => void (await tasks.create({ containerId: id, rootfs: [...toWireMounts(mount)] }));
  }

  /** Resolves with the pid, as the daemon counts. */
  async start(id: string): Promise<number> {
    return (await this.#options.tasks.start({ containerId: id })).pid;
  }

  async kill(id: string): Promise<void> {
    const { tasks } = this.#options;
    const exit = tasks.wait({ containerId: id });
    await Promise.all([exit, tasks.kill({ containerId: id, signal: 9 })]);
  }

  /** Of what has ended. */
  async delete(id: string): Promise<void> {
    const { stores, tasks } = this.#options;
    await tasks.delete({ containerId: id });
    await stores.snapshots.remove(id);
    await stores.containers.delete(id);
  }
}

/** A container's configuration, with a cgroup of its name below `/load`. */
export function specOf(id: string, args: readonly string[]): RuntimeSpec {
  const spec = defaultSpec();
  return { ...spec, process: { ...spec.process, cwd: '/', args: [...args], terminal: false }, linux: { ...spec.linux, cgroupsPath: `/load/${id}` } };
}
