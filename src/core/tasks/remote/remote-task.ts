import { create, toBinary } from '@bufbuild/protobuf';
import { runcOptions } from '../../../api/containerd/index.ts';
import { StrakeError } from '../../../base/index.ts';
import { readCgroupStats } from '../../../kernel/index.ts';
import { formatJson, type ProcessSpec, type ResourcesSpec } from '../../../oci/index.ts';
import { OomKills } from '../oom-kills.ts';
import type { CheckpointOptions, ExecOptions, Process, Task, TaskStats } from '../tasks.ts';
import type { RemoteContext } from './context.ts';
import { RemoteProcess, type RemoteProcessOptions, type ToldExit } from './remote-process.ts';
import { specValueTypes, type TaskRecord } from './task-record.ts';

export interface RemoteTaskOptions extends RemoteProcessOptions {
  readonly context: RemoteContext;
  readonly record: TaskRecord;
  readonly toldExitOf: (execId: string) => ToldExit | undefined;
  /** Makes the streams of an exec. */
  readonly openExec: (options: ExecOptions) => Promise<Pick<RemoteProcessOptions, 'relay' | 'onDelete'>>;
}

/** A task of a containerd. */
export class RemoteTask extends RemoteProcess implements Task {
  readonly #task: RemoteTaskOptions;
  readonly #execs = new Map<string, Process>();
  readonly oomKills = new OomKills();

  constructor(options: RemoteTaskOptions) {
    super(options);
    this.#task = options;
  }

  async exec(options: ExecOptions): Promise<Process> {
    const { execId, process, stdio, keep = false } = options;
    if (this.state().status !== 'running') throw this.#notRunning('exec in');
    if (this.#execs.has(execId)) throw new StrakeError('AlreadyExists', `exec ${execId} exists already`, { fields: { layer: 'core' } });
    const { relay, onDelete } = await this.#task.openExec(options);
    const { client, containerId } = this.#task;
    try {
      await client.exec({
        containerId,
        execId,
        ...relay.paths,
        terminal: stdio.terminal,
        spec: { typeUrl: specValueTypes.process, value: Buffer.from(formatJson(this.#processSpec(options, process))) },
      });
    } catch (error) {
      relay.close();
      await onDelete().catch(() => undefined);
      throw error;
    }
    const exec: RemoteProcess = new RemoteProcess({
      client,
      containerId,
      execId,
      pid: 0,
      relay,
      note: options.note,
      phase: 'created',
      wasOomKilled: () => false,
      toldExit: () => this.#task.toldExitOf(execId),
      onDelete: async () => {
        this.#execs.delete(execId);
        await client.deleteProcess({ containerId, execId }).catch(() => undefined);
        await onDelete();
      },
      onExit: () => {
        if (keep) return;
        this.#execs.delete(execId);
        exec.delete().catch(() => undefined);
      },
    });
    this.#execs.set(execId, exec);
    return exec;
  }

  getExec(execId: string): Process | undefined {
    return this.#execs.get(execId);
  }

  listExecs(): readonly Process[] {
    return [...this.#execs.values()];
  }

  async pause(): Promise<void> {
    if (this.state().status !== 'running') throw this.#notRunning('pause');
    await this.#task.client.pause({ containerId: this.id });
    this.setPaused(true);
  }

  async resume(): Promise<void> {
    if (this.state().status !== 'paused')
      throw new StrakeError('FailedPrecondition', `cannot resume ${this.id}: it is not paused`, { fields: { layer: 'core' } });
    await this.#task.client.resume({ containerId: this.id });
    this.setPaused(false);
  }

  /** A frozen process dies of SIGKILL only when it is thawed. */
  override async kill(signal: number, options: { readonly all?: boolean } = {}): Promise<void> {
    await super.kill(signal, options);
    if (signal === 9 && this.state().status === 'paused') await this.resume().catch(() => undefined);
  }

  async pids(): Promise<readonly number[]> {
    const { processes } = await this.#task.client.listPids({ containerId: this.id });
    return processes.map(({ pid }) => pid);
  }

  /** The cgroup is one of this machine. */
  async stats(): Promise<TaskStats> {
    const { layout, cgroupOf } = this.#task.context;
    return await readCgroupStats(layout, cgroupOf(this.#task.record));
  }

  async update(resources: ResourcesSpec): Promise<void> {
    this.checkAlive('update');
    await this.#task.client.update({ containerId: this.id, resources: { typeUrl: specValueTypes.resources, value: Buffer.from(formatJson(resources)) } });
  }

  async checkpoint({ leaveRunning, workPath = '', ...options }: CheckpointOptions): Promise<void> {
    const { status } = this.state();
    if (status !== 'running' && status !== 'paused') throw this.#notRunning('checkpoint');
    const saved = create(runcOptions.CheckpointOptionsSchema, { ...options, workPath, exit: !leaveRunning });
    await this.#task.client.checkpoint({
      containerId: this.id,
      options: { typeUrl: runcOptions.CheckpointOptionsSchema.typeName, value: toBinary(runcOptions.CheckpointOptionsSchema, saved) },
    });
  }

  /** What an exec does not say of its rights it has as the container's process. */
  #processSpec({ privileged = false, stdio }: ExecOptions, process: ProcessSpec): ProcessSpec {
    const own = this.#task.record.spec.process;
    const all = this.#task.context.availableCapabilities;
    const { consoleSize } = stdio;
    return {
      ...(own?.noNewPrivileges === undefined ? {} : { noNewPrivileges: own.noNewPrivileges }),
      ...(own?.rlimits === undefined ? {} : { rlimits: own.rlimits }),
      ...(own?.apparmorProfile === undefined ? {} : { apparmorProfile: own.apparmorProfile }),
      ...(own?.capabilities === undefined ? {} : { capabilities: own.capabilities }),
      ...process,
      ...(privileged ? { capabilities: { bounding: all, effective: all, permitted: all, inheritable: [] } } : {}),
      terminal: stdio.terminal,
      ...(consoleSize === undefined ? {} : { consoleSize: { height: consoleSize.rows, width: consoleSize.cols } }),
    };
  }

  #notRunning(verb: string): StrakeError {
    return new StrakeError('FailedPrecondition', `cannot ${verb} ${this.id}: it is ${this.state().status}`, { fields: { layer: 'core' } });
  }
}
