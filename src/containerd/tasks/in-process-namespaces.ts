/** What tasks and sandboxes of this process have in common: a task manager, bundles and the calls of a shim for each namespace. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { discardDirectory, errorMessage, type Logger, StrakeError, sweepDiscarded } from '../../base/index.ts';
import { LocalTaskManager, type LocalTaskManagerOptions } from '../../core/tasks/index.ts';
import { type CgroupLayout, type Launcher, readCgroupLayout } from '../../kernel/index.ts';

export interface ServedNamespace<Calls> {
  readonly manager: LocalTaskManager;
  readonly calls: Calls;
}

export interface NamespacePlace {
  readonly namespace: string;
  readonly directory: string;
  readonly cgroupVersion: 1 | 2;
  readonly openManager: (events: LocalTaskManagerOptions['events']) => LocalTaskManager;
}

export interface InProcessNamespacesOptions<Calls> {
  /** A directory for each namespace. */
  readonly directory: string;
  readonly launcher: Launcher;
  readonly log: Logger;
  /** Called once for each namespace. */
  readonly serve: (place: NamespacePlace) => ServedNamespace<Calls>;
}

export class InProcessNamespaces<Calls> {
  private readonly options: InProcessNamespacesOptions<Calls>;
  private readonly layout: CgroupLayout = readCgroupLayout();
  private readonly opened = new Map<string, ServedNamespace<Calls>>();

  constructor(options: InProcessNamespacesOptions<Calls>) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o711 });
  }

  /** After a start of the daemon: finds what the one before left in its namespaces. */
  async recover(): Promise<void> {
    for (const namespace of readdirSync(this.options.directory)) {
      const { manager } = this.open(namespace);
      await manager.recover();
      const known = new Set(manager.list().map(({ id }) => id));
      for (const id of await sweepDiscarded(this.bundles(namespace))) if (!known.has(id)) this.discardBundle(namespace, id);
    }
  }

  /** Undefined for one that nothing was made in. */
  get(namespace: string): ServedNamespace<Calls> | undefined {
    return this.opened.get(namespace);
  }

  open(namespace: string): ServedNamespace<Calls> {
    const opened = this.opened.get(namespace);
    if (opened !== undefined) return opened;
    const { launcher, log, serve } = this.options;
    const directory = path.join(this.options.directory, namespace);
    mkdirSync(this.bundles(namespace), { recursive: true, mode: 0o711 });
    const { layout } = this;
    const served = serve({
      namespace,
      directory,
      cgroupVersion: layout.kind === 'v2' ? 2 : 1,
      openManager: (events) => new LocalTaskManager({ execRoot: directory, launcher, events, log, layout, keepsCreated: true }),
    });
    this.opened.set(namespace, served);
    return served;
  }

  /** In a namespace that was opened; hooks and other runtimes read it. AlreadyExists in the words of `taken`. */
  makeBundle(namespace: string, id: string, spec: Uint8Array | undefined, taken: (bundle: string) => string): string {
    const bundle = path.join(this.bundles(namespace), id);
    try {
      mkdirSync(bundle, { mode: 0o711 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      throw new StrakeError('AlreadyExists', taken(bundle), { cause, fields: { layer: 'containerd' } });
    }
    if (spec !== undefined) writeFileSync(path.join(bundle, 'config.json'), spec, { mode: 0o600 });
    return bundle;
  }

  discardBundle(namespace: string, id: string): void {
    const bundle = path.join(this.bundles(namespace), id);
    discardDirectory(bundle, (error) => this.options.log.warn('a bundle was not deleted', { bundle, error: errorMessage(error) }));
  }

  private bundles(namespace: string): string {
    return path.join(this.options.directory, namespace, 'bundles');
  }
}
