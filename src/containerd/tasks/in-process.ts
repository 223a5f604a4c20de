/** Tasks of this process: strake-init's monitors, or other runtimes under them, without a shim. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { shimTask } from '../../api/containerd/index.ts';
import { type Logger, StrakeError } from '../../base/index.ts';
import type { EventBus, TypedValue } from '../../core/index.ts';
import type { TaskManager } from '../../core/tasks/index.ts';
import type { Launcher } from '../../kernel/index.ts';
import { parseRuntimeSpec } from '../../oci/index.ts';
import { createTaskService, type PublishTaskEvent, runtimeInfo, taskEventBus } from '../../shim/index.ts';
import { directCalls } from './direct-calls.ts';
import { InProcessNamespaces, type NamespacePlace, type ServedNamespace } from './in-process-namespaces.ts';
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

type Calls = HostedTask['service'];

export class InProcessTasks implements TaskHost {
  private readonly options: InProcessTasksOptions;
  private readonly namespaces: InProcessNamespaces<Calls>;

  constructor(options: InProcessTasksOptions) {
    this.options = options;
    const { directory, launcher, log } = options;
    this.namespaces = new InProcessNamespaces({ directory, launcher, log, serve: (place) => this.serve(place) });
  }

  /** After a start of the daemon: finds the tasks of the one before, and what ended of them meanwhile. */
  async recover(): Promise<void> {
    await this.namespaces.recover();
  }

  async create({ namespace, id, spec, options, rootfs, stdio, checkpoint = '', signal }: NewTask): Promise<HostedTask> {
    const { calls } = this.namespaces.open(namespace);
    const bundle = this.namespaces.makeBundle(namespace, id, spec, (taken) => `bundle ${taken} exists already`);
    try {
      await calls.create({ id, bundle, rootfs: [...rootfs], ...stdio, checkpoint, ...(options === undefined ? {} : { options: { ...options } }) }, { signal });
    } catch (error) {
      this.namespaces.discardBundle(namespace, id);
      throw error;
    }
    return this.get(namespace, id);
  }

  /** Whoever makes tasks of a namespace in this process makes them here, so that clients see them. */
  manager(namespace: string): TaskManager {
    return this.namespaces.open(namespace).manager;
  }

  get(namespace: string, id: string): HostedTask {
    const tasks = this.namespaces.get(namespace);
    if (tasks === undefined) throw new StrakeError('NotFound', `no task ${id}`, { fields: { layer: 'containerd' } });
    const { pid } = tasks.manager.get(id).state();
    return { namespace, id, pid, service: tasks.calls, delete: async (signal) => await this.delete(namespace, id, signal) };
  }

  list(namespace: string): readonly HostedTask[] {
    return (this.namespaces.get(namespace)?.manager.list() ?? []).map(({ id }) => this.get(namespace, id));
  }

  async info(_runtime: string, options: TypedValue | undefined, signal: AbortSignal): ReturnType<TaskHost['info']> {
    return await runtimeInfo({ options, version: this.options.version, signal });
  }

  private async delete(namespace: string, id: string, signal?: AbortSignal): Promise<TaskExit> {
    const { pid, exitStatus, exitedAt } = await this.namespaces.open(namespace).calls.delete({ id }, { signal });
    this.namespaces.discardBundle(namespace, id);
    return { pid, code: exitStatus, at: exitedAt === undefined ? new Date(0) : timestampDate(exitedAt) };
  }

  private serve({ namespace, cgroupVersion, openManager }: NamespacePlace): ServedNamespace<Calls> {
    const bus = this.options.events(namespace);
    const publish: PublishTaskEvent = (topic, payload) => bus.publish(topic, asMessage(payload));
    const manager = openManager(taskEventBus(publish));
    const service = createTaskService({
      namespace,
      tasks: manager,
      publish,
      cgroupVersion,
      runtimeRoot,
      readSpec: async (bundle) => parseRuntimeSpec(await readFile(path.join(bundle, 'config.json'), 'utf8')),
      shutdown: () => undefined,
    });
    return { manager, calls: directCalls(shimTask.Task, service) };
  }
}

/** Times as protobuf has them. */
function asMessage(payload: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, value instanceof Date ? timestampFromDate(value) : value]));
}
