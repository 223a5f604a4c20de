/** Sandboxes of this process: a monitor and a process that waits, or that of the sandbox's own root filesystem, without a shim. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { shimSandbox } from '../../api/containerd/index.ts';
import { discardDirectory, errorMessage, type Logger, StrakeError, sweepDiscarded } from '../../base/index.ts';
import { LocalTaskManager } from '../../core/tasks/index.ts';
import { type CgroupLayout, type Launcher, programFile, readCgroupLayout } from '../../kernel/index.ts';
import type { ServiceClient } from '../../rpc/ttrpc/index.ts';
import { createSandboxService, taskEventBus } from '../../shim/index.ts';
import { directCalls } from '../tasks/direct-calls.ts';
import type { NewRunningSandbox, RunningSandbox, SandboxHost } from './sandbox-host.ts';

export interface InProcessSandboxesOptions {
  /** A directory for each namespace. */
  readonly directory: string;
  readonly launcher: Launcher;
  readonly log: Logger;
}

interface NamespaceSandboxes {
  readonly manager: LocalTaskManager;
  readonly bundles: string;
  readonly calls: ServiceClient<typeof shimSandbox.Sandbox>;
}

export class InProcessSandboxes implements SandboxHost {
  private readonly options: InProcessSandboxesOptions;
  private readonly layout: CgroupLayout = readCgroupLayout();
  private readonly namespaces = new Map<string, NamespaceSandboxes>();

  constructor(options: InProcessSandboxesOptions) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o711 });
  }

  /** After a start of the daemon: finds those of the one before. */
  async recover(): Promise<void> {
    for (const namespace of readdirSync(this.options.directory)) {
      const { manager, bundles } = this.namespaceOf(namespace);
      await manager.recover();
      const known = new Set(manager.list().map(({ id }) => id));
      for (const id of await sweepDiscarded(bundles)) if (!known.has(id)) this.discard(path.join(bundles, id));
    }
  }

  async create({ namespace, id, spec, rootfs, options, netnsPath, annotations, signal }: NewRunningSandbox): Promise<void> {
    const { bundles, calls } = this.namespaceOf(namespace);
    const bundle = path.join(bundles, id);
    makeBundle(bundle, id, spec);
    try {
      const request = { sandboxId: id, bundlePath: bundle, rootfs: [...rootfs], netnsPath, annotations: { ...annotations } };
      await calls.createSandbox({ ...request, ...(options === undefined ? {} : { options }) }, { signal });
    } catch (error) {
      this.discard(bundle);
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
    return { service: this.namespaceOf(namespace).calls, address: '', version: 0 };
  }

  async remove(namespace: string, id: string): Promise<void> {
    this.discard(path.join(this.namespaceOf(namespace).bundles, id));
  }

  private namespaceOf(namespace: string): NamespaceSandboxes {
    const opened = this.namespaces.get(namespace);
    if (opened !== undefined) return opened;
    const { directory, launcher, log } = this.options;
    const execRoot = path.join(directory, namespace);
    const bundles = path.join(execRoot, 'bundles');
    mkdirSync(bundles, { recursive: true, mode: 0o711 });
    const manager = new LocalTaskManager({ execRoot, launcher, events: taskEventBus(() => undefined), log, layout: this.layout, keepsCreated: true });
    const service = createSandboxService({
      namespace,
      tasks: manager,
      directory: path.join(execRoot, 'roots'),
      pauseProgram: programFile('strake-init'),
      cgroupVersion: this.layout.kind === 'v2' ? 2 : 1,
      shutdown: () => undefined,
    });
    const sandboxes = { manager, bundles, calls: directCalls(shimSandbox.Sandbox, service) };
    this.namespaces.set(namespace, sandboxes);
    return sandboxes;
  }

  private discard(directory: string): void {
    discardDirectory(directory, (error) => this.options.log.warn('a bundle was not deleted', { bundle: directory, error: errorMessage(error) }));
  }
}

function makeBundle(bundle: string, id: string, spec: Uint8Array | undefined): void {
  try {
    mkdirSync(bundle, { mode: 0o711 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new StrakeError('AlreadyExists', `sandbox ${id} already running`, { cause });
  }
  mkdirSync(path.join(bundle, 'rootfs'), { mode: 0o711 });
  if (spec !== undefined) writeFileSync(path.join(bundle, 'config.json'), spec, { mode: 0o600 });
}
