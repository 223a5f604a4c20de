/** Sandboxes of this process: a monitor and a process that waits, or that of the sandbox's own root filesystem, without a shim. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { shimSandbox } from '../../api/containerd/index.ts';
import { type Logger, StrakeError } from '../../base/index.ts';
import { type Launcher, programFile } from '../../kernel/index.ts';
import { createSandboxService, taskEventBus } from '../../shim/index.ts';
import { directCalls } from '../tasks/direct-calls.ts';
import { InProcessNamespaces, type NamespacePlace, type ServedNamespace } from '../tasks/in-process-namespaces.ts';
import type { NewRunningSandbox, RunningSandbox, SandboxHost } from './sandbox-host.ts';

export interface InProcessSandboxesOptions {
  /** A directory for each namespace. */
  readonly directory: string;
  readonly launcher: Launcher;
  readonly log: Logger;
}

type Calls = RunningSandbox['service'];

export class InProcessSandboxes implements SandboxHost {
  private readonly namespaces: InProcessNamespaces<Calls>;

  constructor(options: InProcessSandboxesOptions) {
    this.namespaces = new InProcessNamespaces({ ...options, serve });
  }

  /** After a start of the daemon: finds those of the one before. */
  async recover(): Promise<void> {
    await this.namespaces.recover();
  }

  async create({ namespace, id, spec, rootfs, options, netnsPath, annotations, signal }: NewRunningSandbox): Promise<void> {
    const { calls } = this.namespaces.open(namespace);
    const bundle = this.namespaces.makeBundle(namespace, id, spec, () => `sandbox ${id} already running`);
    mkdirSync(path.join(bundle, 'rootfs'), { mode: 0o711 });
    try {
      const request = { sandboxId: id, bundlePath: bundle, rootfs: [...rootfs], netnsPath, annotations: { ...annotations } };
      await calls.createSandbox({ ...request, ...(options === undefined ? {} : { options }) }, { signal });
    } catch (error) {
      this.namespaces.discardBundle(namespace, id);
      throw error;
    }
  }

  has(namespace: string, id: string): boolean {
    return (
      this.namespaces
        .get(namespace)
        ?.manager.list()
        .some((task) => task.id === id) ?? false
    );
  }

  async open(namespace: string, id: string): Promise<RunningSandbox> {
    if (!this.has(namespace, id)) throw new StrakeError('NotFound', `sandbox ${JSON.stringify(id)}`);
    return { service: this.namespaces.open(namespace).calls, address: '', version: 0 };
  }

  async remove(namespace: string, id: string): Promise<void> {
    this.namespaces.discardBundle(namespace, id);
  }
}

function serve({ namespace, directory, cgroupVersion, openManager }: NamespacePlace): ServedNamespace<Calls> {
  const manager = openManager(taskEventBus(() => undefined));
  const service = createSandboxService({
    namespace,
    tasks: manager,
    directory: path.join(directory, 'roots'),
    pauseProgram: programFile('strake-init'),
    cgroupVersion,
    shutdown: () => undefined,
  });
  return { manager, calls: directCalls(shimSandbox.Sandbox, service) };
}
