/** Tasks of this process: strake-init's monitors, or other runtimes under them, without a shim. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { shimTask } from '../../api/containerd/index.ts';
import { discardDirectory, errorMessage, type Logger, StrakeError, sweepDiscarded } from '../../base/index.ts';
import type { EventBus, TypedValue } from '../../core/index.ts';
import { LocalTaskManager, type TaskManager } from '../../core/tasks/index.ts';
import { type CgroupLayout, type Launcher, readCgroupLayout } from '../../kernel/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { createTaskService, type PublishTaskEvent, runtimeInfo, taskEventBus } from '../../shim/index.ts';
import { directCalls } from './direct-calls.ts';
import type { HostedTask, NewTask, TaskExit, TaskHost } from './task-host.ts';

export interface InProcessTasksOptions {
  /** A directory for each namespace: its tasks and their bundles. */
  readonly directory: string;
  readonly launcher: Launcher;
  readonly events: (namespace: string) => Pick<EventBus, 'publish'>;
  readonly log: Logger;
  /** Of this program. */
  readonly version: string;
}

const runtimeRoot = '/run/strake/runtimes';

interface NamespaceTasks {
  readonly manager: LocalTaskManager;
  readonly bundles: string;
  readonly calls: HostedTask['service'];
}

export class InProcessTasks implements TaskHost {
  private readonly options: InProcessTasksOptions;
  private readonly layout: CgroupLayout = readCgroupLayout();
  private readonly namespaces = new Map<string, NamespaceTasks>();

  constructor(options: InProcessTasksOptions) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o711 });
  }

  /** After a start of the daemon: finds the tasks of the one before, and what ended of them meanwhile. */
  async recover(): Promise<void> {
    for (const namespace of readdirSync(this.options.directory)) {
      const { manager, bundles } = this.open(namespace);
      await manager.recover();
      const known = new Set(manager.list().map(({ id }) => id));
      for (const id of await sweepDiscarded(bundles)) if (!known.has(id)) this.discard(path.join(bundles, id));
    }
  }

  async create({ namespace, id, spec, options, rootfs, stdio, checkpoint = '', signal }: NewTask): Promise<HostedTask> {
    const { bundles, calls } = this.open(namespace);
    const bundle = path.join(bundles, id);
    makeBundle(bundle, spec);
    try {
      await calls.create({ id, bundle, rootfs: [...rootfs], ...stdio, checkpoint, ...(options === undefined ? {} : { options: { ...options } }) }, { signal });
    } catch (error) {
      this.discard(bundle);
      throw error;
    }
    return this.get(namespace, id);
  }

  /** Whoever makes tasks of a namespace in this process makes them here, so that clients see them. */
  manager(namespace: string): TaskManager {
    return this.open(namespace).manager;
  }

  get(namespace: string, id: string): HostedTask {
    const tasks = this.namespaces.get(namespace);
    if (tasks === undefined) throw new StrakeError('NotFound', `no task ${id}`, { fields: { layer: 'containerd' } });
    const { pid } = tasks.manager.get(id).state();
    return { namespace, id, pid, service: tasks.calls, delete: async (signal) => await this.delete(tasks, id, signal) };
  }

  list(namespace: string): readonly HostedTask[] {
    return (this.namespaces.get(namespace)?.manager.list() ?? []).map(({ id }) => this.get(namespace, id));
  }

  async info(_runtime: string, options: TypedValue | undefined, signal: AbortSignal): ReturnType<TaskHost['info']> {
    return await runtimeInfo({ options, version: this.options.version, signal });
  }

  private async delete({ bundles, calls }: NamespaceTasks, id: string, signal?: AbortSignal): Promise<TaskExit> {
    const { pid, exitStatus, exitedAt } = await calls.delete({ id }, { signal });
    this.discard(path.join(bundles, id));
    return { pid, code: exitStatus, at: exitedAt === undefined ? new Date(0) : timestampDate(exitedAt) };
  }

  private open(namespace: string): NamespaceTasks {
    const opened = this.namespaces.get(namespace);
    if (opened !== undefined) return opened;
    const { directory, launcher, log } = this.options;
    const execRoot = path.join(directory, namespace);
    const bundles = path.join(execRoot, 'bundles');
    mkdirSync(bundles, { recursive: true, mode: 0o711 });
    const bus = this.options.events(namespace);
    const publish: PublishTaskEvent = (topic, payload) => bus.publish(topic, asMessage(payload));
    const manager = new LocalTaskManager({
      execRoot,
      launcher,
      events: taskEventBus(publish),
      log,
      layout: this.layout,
      keepsCreated: true,
    });
    const service = createTaskService({
      namespace,
      tasks: manager,
      publish,
      cgroupVersion: this.layout.kind === 'v2' ? 2 : 1,
      runtimeRoot,
      readSpec: async (bundle) => parseRuntimeSpec(await readFile(path.join(bundle, 'config.json'), 'utf8')),
      shutdown: () => undefined,
    });
    const tasks = { manager, bundles, calls: directCalls(shimTask.Task, service) };
    this.namespaces.set(namespace, tasks);
    return tasks;
  }

  private discard(directory: string): void {
    discardDirectory(directory, (error) => this.options.log.warn('a bundle was not deleted', { bundle: directory, error: errorMessage(error) }));
  }
}

/** Hooks and other runtimes read it. */
function makeBundle(bundle: string, spec: Uint8Array): void {
  try {
    mkdirSync(bundle, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new StrakeError('AlreadyExists', `bundle ${bundle} exists already`, { cause: error, fields: { layer: 'containerd' } });
  }
  writeFileSync(path.join(bundle, 'config.json'), spec, { mode: 0o600 });
}

/** Times as protobuf has them. */
function asMessage(payload: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, value instanceof Date ? timestampFromDate(value) : value]));
}
