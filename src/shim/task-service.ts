/** What a shim does for its tasks (containerd's Task service, version 3), over our task manager: of a shim's process, and of `strake containerd` itself. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type shimTask, taskTypes } from '../api/containerd/index.ts';
import { isCode, StrakeError } from '../base/index.ts';
import { type ExitStatus, type Process, stdioOfUris, type Task, type TaskManager } from '../core/tasks/index.ts';
import { type ProcessSpec, parseJson, type ResourcesSpec, type RuntimeSpec } from '../oci/index.ts';
import type { CallContext, ServiceImplementation } from '../rpc/ttrpc/index.ts';
import { ExecTable } from './exec-table.ts';
import { noTime, nothing, pidInfo, stateOf, timestamp } from './messages.ts';
import { metricsOf } from './metrics.ts';
import { checkState, inRuntimeWords } from './refusals.ts';
import { rootfsOf } from './rootfs.ts';
import { checkpointOptions, ociRuntimeOf, taskOptions } from './runtime-options.ts';
import type { PublishTaskEvent } from './task-events.ts';

export type TaskService = ServiceImplementation<typeof shimTask.Task>;

export interface TaskServiceOptions {
  readonly namespace: string;
  readonly tasks: TaskManager;
  readonly publish: PublishTaskEvent;
  /** The cgroups that statistics are of. */
  readonly cgroupVersion: 1 | 2;
  /** Where other runtimes keep their state when the options do not say it. */
  readonly runtimeRoot: string;
  /** The configuration in a bundle. */
  readonly readSpec: (bundle: string) => Promise<RuntimeSpec>;
  /** Somebody wants this process to end: at once, or when it has no task. */
  readonly shutdown: (now: boolean) => void;
}

/** What is kept beside a task, for those who ask about it after a restart. */
export interface TaskNote {
  readonly bundle: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

const terminalOutput = 'a task with a terminal has no stderr of its own';

export function createTaskService(options: TaskServiceOptions): TaskService {
  return new LocalTaskService(options).implementation();
}

class LocalTaskService {
  private readonly options: TaskServiceOptions;
  private readonly execs = new ExecTable();

  constructor(options: TaskServiceOptions) {
    this.options = options;
  }

  implementation(): TaskService {
    return {
      state: ({ id, execId }) => this.state(id, execId),
      create: async (request, context) => ({ pid: await this.create(request, context) }),
      start: async ({ id, execId }) => ({ pid: await this.start(id, execId) }),
      delete: async ({ id, execId }) => await this.delete(id, execId),
      pids: async ({ id }) => ({ processes: await this.pids(id) }),
      pause: async ({ id }) => await done(this.allowed('pause', id).pause()),
      resume: async ({ id }) => await done(this.allowed('resume', id).resume()),
      checkpoint: async (request) => await done(this.checkpoint(request)),
      kill: async ({ id, execId, signal, all }) => await done(this.kill(id, execId, signal, all)),
      exec: (request) => this.exec(request),
      resizePty: async ({ id, execId, width, height }) => await done(this.resize(id, execId, height, width)),
      closeIO: async ({ id, execId, stdin }) => await done(stdin ? this.process(id, execId).closeStdin() : Promise.resolve()),
      update: async ({ id, resources }) => await done(this.allowed('update', id).update(jsonOf<ResourcesSpec>(resources, 'resources'))),
      wait: async ({ id, execId }, { signal }) => exitOf(await this.exit(id, execId, signal)),
      stats: async ({ id }) => ({ stats: await this.stats(id) }),
      connect: ({ id }) => ({ shimPid: process.pid, taskPid: this.task(id).state().pid, version: '' }),
      shutdown: ({ now }) => {
        this.options.shutdown(now);
        return nothing;
      },
    };
  }

  private task(id: string): Task {
    try {
      return this.options.tasks.get(id);
    } catch (cause) {
      throw new StrakeError('NotFound', 'container not created', { cause, fields: { layer: 'shim', container: id } });
    }
  }

  private allowed(verb: Parameters<typeof checkState>[0], id: string): Task {
    const task = this.task(id);
    checkState(verb, task.state());
    return task;
  }

  /** The task itself, or one of its execs that has been started. */
  private process(id: string, execId: string): Process {
    const task = this.task(id);
    if (execId === '') return task;
    const process = task.getExec(execId);
    if (process !== undefined) return process;
    if (this.execs.has(id, execId)) throw new StrakeError('FailedPrecondition', 'process not created', { fields: { layer: 'shim', container: id } });
    throw this.noProcess(id, execId);
  }

  private noProcess(id: string, execId: string): StrakeError {
    return new StrakeError('NotFound', `process does not exist ${execId}`, { fields: { layer: 'shim', container: id } });
  }

  private state(id: string, execId: string): MessageInitShape<typeof shimTask.StateResponseSchema> {
    const task = this.task(id);
    const { bundle } = task.note as TaskNote;
    const waiting = execId === '' ? undefined : this.execs.get(id, execId);
    if (waiting !== undefined && task.getExec(execId) === undefined)
      return { id, execId, bundle, ...waiting.stdio, pid: 0, exitedAt: noTime, status: taskTypes.Status.CREATED };
    const process = this.process(id, execId);
    const { stdin, stdout, stderr, terminal } = process.note as TaskNote;
    return { id, execId, bundle, stdin, stdout, stderr, terminal, ...stateOf(process.state()) };
  }

  private async create(request: shimTask.CreateTaskRequest, { signal }: CallContext): Promise<number> {
    const { id, bundle, rootfs, terminal, stdin, stdout, stderr, checkpoint } = request;
    if (terminal && stderr !== '') throw new StrakeError('InvalidArgument', terminalOutput, { fields: { layer: 'shim', container: id } });
    const { namespace, tasks, publish, readSpec, runtimeRoot } = this.options;
    const spec = await readSpec(bundle);
    const runtime = ociRuntimeOf(taskOptions(request.options), { namespace, runtimeRoot });
    const note: TaskNote = { bundle, stdin, stdout, stderr, terminal };
    const creation = tasks.create({
      id,
      spec,
      bundle,
      rootfs: rootfsOf(rootfs, bundle, spec),
      ...(runtime === undefined ? {} : { runtime }),
      ...(checkpoint === '' ? {} : { restore: { imagePath: checkpoint } }),
      stdio: { ...stdioOfUris({ stdin, stdout, stderr, terminal }, { id, namespace }), ...consoleSizeOf(spec.process) },
      note,
      signal,
    });
    const task = await inRuntimeWords('create', creation);
    const { pid } = task.state();
    const mounts = rootfs.map(({ type, source, target, options }) => ({ type, source, target, options }));
    publish('/tasks/create', { containerId: id, bundle, rootfs: mounts, io: { stdin, stdout, stderr, terminal }, checkpoint, pid });
    return pid;
  }

  private async start(id: string, execId: string): Promise<number> {
    const task = this.task(id);
    if (execId === '') {
      checkState('start', task.state());
      await inRuntimeWords('start', task.start());
      return task.state().pid;
    }
    const waiting = this.execs.get(id, execId);
    const running = task.getExec(execId);
    if (running !== undefined) checkState('start', running.state());
    if (waiting === undefined) throw this.noProcess(id, execId);
    const { process: spec, stdio } = waiting;
    const { namespace } = this.options;
    const note: TaskNote = { ...stdio, bundle: (task.note as TaskNote).bundle };
    if (task.state().status !== 'running')
      throw new StrakeError('FailedPrecondition', `container ${id} init process is not running`, { fields: { layer: 'shim', container: id } });
    const launch = async () => {
      const process = await task.exec({
        execId,
        process: spec,
        stdio: { ...stdioOfUris(stdio, { id, namespace }), ...consoleSizeOf(spec) },
        keep: true,
        note,
      });
      try {
        await process.start();
      } catch (error) {
        await process.delete().catch(() => undefined);
        throw error;
      }
      return process;
    };
    return await waiting.starting(async () => await inRuntimeWords('exec', launch()));
  }

  private exec({ id, execId, terminal, stdin, stdout, stderr, spec }: shimTask.ExecProcessRequest): typeof nothing {
    const task = this.task(id);
    checkState('exec', task.state());
    if (task.getExec(execId) !== undefined || execId === '')
      throw new StrakeError('AlreadyExists', `id ${execId}`, { fields: { layer: 'shim', container: id } });
    stdioOfUris({ stdin, stdout, stderr, terminal }, { id, namespace: this.options.namespace });
    this.execs.add(id, execId, { process: jsonOf<ProcessSpec>(spec, 'spec'), stdio: { stdin, stdout, stderr, terminal } });
    this.options.publish('/tasks/exec-added', { containerId: id, execId });
    return nothing;
  }

  private async delete(id: string, execId: string): Promise<MessageInitShape<typeof shimTask.DeleteResponseSchema>> {
    const task = this.task(id);
    if (execId !== '') {
      const process = task.getExec(execId);
      if (process === undefined) {
        if (!this.execs.delete(id, execId)) this.process(id, execId);
        return {};
      }
      checkState('delete', process.state());
      const exit = await process.delete();
      this.execs.delete(id, execId);
      return { pid: process.state().pid, ...exitOf(exit) };
    }
    checkState('delete', task.state());
    const { pid } = task.state();
    const exit = await task.delete();
    this.execs.deleteAll(id);
    this.options.publish('/tasks/delete', { containerId: id, pid, exitStatus: exit.code, exitedAt: exit.at });
    return { pid, ...exitOf(exit) };
  }

  private async kill(id: string, execId: string, signal: number, all: boolean): Promise<void> {
    try {
      await this.process(id, execId).kill(signal, { all });
    } catch (error) {
      if (!isCode(error, 'NotFound') || this.options.tasks.list().every((task) => task.id !== id)) throw error;
      throw new StrakeError('NotFound', 'process already finished', { cause: error, fields: { layer: 'shim', container: id } });
    }
  }

  private async resize(id: string, execId: string, rows: number, cols: number): Promise<void> {
    const process = this.process(id, execId);
    checkState('resize', process.state());
    await process.resize(rows, cols);
  }

  private async stats(id: string): Promise<ReturnType<typeof metricsOf>> {
    const task = this.task(id);
    if (task.state().status === 'stopped') throw new StrakeError('NotFound', 'cgroup does not exist', { fields: { layer: 'shim', container: id } });
    return metricsOf(await task.stats(), this.options.cgroupVersion);
  }

  private async exit(id: string, execId: string, signal: AbortSignal): Promise<ExitStatus> {
    const waiting = execId === '' ? undefined : this.execs.get(id, execId);
    const process = waiting === undefined ? this.process(id, execId) : await waiting.started(signal);
    return await process.wait(signal);
  }

  private async pids(id: string): Promise<ReturnType<typeof pidInfo>[]> {
    const task = this.task(id);
    const execs = new Map(task.listExecs().map((process) => [process.state().pid, process.id]));
    return (await task.pids()).map((pid) => pidInfo(pid, execs.get(pid)));
  }

  private async checkpoint({ id, path, options }: shimTask.CheckpointTaskRequest): Promise<void> {
    const task = this.allowed('checkpoint', id);
    await task.checkpoint(checkpointOptions(path, options, (task.note as TaskNote).bundle));
  }
}

function consoleSizeOf(process: ProcessSpec | undefined): { readonly consoleSize?: { readonly rows: number; readonly cols: number } } {
  const { height, width } = process?.consoleSize ?? {};
  return height && width ? { consoleSize: { rows: height, cols: width } } : {};
}

function exitOf({ code, at }: ExitStatus) {
  return { exitStatus: code, exitedAt: timestamp(at) };
}

async function done(work: Promise<unknown>): Promise<typeof nothing> {
  await work;
  return nothing;
}

/** containerd puts what the OCI specification has as JSON into an Any. */
function jsonOf<T>(any: { readonly value: Uint8Array } | undefined, what: string): T {
  if (any === undefined) throw new StrakeError('InvalidArgument', `no ${what}`, { fields: { layer: 'shim' } });
  return parseJson(Buffer.from(any.value).toString(), what) as T;
}
