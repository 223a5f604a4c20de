import { setTimeout as delay } from 'node:timers/promises';
import { discardDirectory, errorMessage, isCode, StrakeError } from '../../../base/index.ts';
import { type CgroupDirectories, cgroupPids, freezeOperations, readCgroupStats, readFreezer, readLiveLimits, updateOperations } from '../../../kernel/index.ts';
import type { ProcessSpec, ResourcesSpec, RuntimeSpec } from '../../../oci/index.ts';
import type { ExitStatus, Process, StdioOptions, Task, TaskStats } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import { createExec } from './exec.ts';
import { LocalProcess, type LocalProcessOptions } from './process.ts';

const freezeTimeoutMs = 10_000;
const lookEveryMs = 1;
const sigkill = 9;

export interface LocalTaskOptions extends LocalProcessOptions {
  readonly spec: RuntimeSpec;
  readonly cgroupPath: string;
  readonly cgroup: CgroupDirectories;
  readonly context: TaskContext;
  readonly note: unknown;
  readonly onDelete: () => void;
}

export class LocalTask extends LocalProcess implements Task {
  private readonly task: LocalTaskOptions;
  private readonly execs = new Map<string, Process>();

  get note(): unknown {
    return this.task.note;
  }

  constructor(options: LocalTaskOptions) {
    super(options);
    this.task = options;
  }

  async exec(options: {
    readonly execId: string;
    readonly process: ProcessSpec;
    readonly stdio: StdioOptions;
    readonly privileged?: boolean;
  }): Promise<Process> {
    if (this.state().status !== 'running') throw this.notRunning('exec in');
    if (this.execs.has(options.execId)) throw new StrakeError('AlreadyExists', `exec ${options.execId} exists already`, { fields: { layer: 'core' } });
    const { context, spec, cgroup } = this.task;
    const process = await createExec(context, {
      ...options,
      taskId: this.id,
      taskDir: this.dir,
      spec: options.privileged ? withoutSeccomp(spec) : spec,
      init: { pid: this.pid, startTime: this.startTime },
      cgroup,
      forget: () => this.execs.delete(options.execId),
    });
    this.execs.set(options.execId, process);
    return process;
  }

  getExec(execId: string): Process | undefined {
    return this.execs.get(execId);
  }

  async pause(): Promise<void> {
    if (this.state().status !== 'running') throw this.notRunning('pause');
    await this.freeze(true);
    this.task.context.events.publish('/tasks/paused', { containerId: this.id });
  }

  async resume(): Promise<void> {
    if (this.state().status !== 'paused')
      throw new StrakeError('FailedPrecondition', `cannot resume ${this.id}: it is not paused`, { fields: { layer: 'core' } });
    await this.freeze(false);
    this.task.context.events.publish('/tasks/resumed', { containerId: this.id });
  }

  async pids(): Promise<readonly number[]> {
    return await cgroupPids(this.task.cgroup);
  }

  /** A process that a v1 freezer holds dies of SIGKILL only when it is thawed. */
  override async kill(signal: number, options: { readonly all?: boolean } = {}): Promise<void> {
    await super.kill(signal, options);
    if (signal !== sigkill || this.state().status !== 'paused') return;
    await this.freeze(false).catch((error: unknown) => {
      // Its cgroup is gone already: it has died, which is what was asked for.
      if (!isCode(error, 'FailedPrecondition') && !isCode(error, 'NotFound')) throw error;
    });
  }

  async stats(): Promise<TaskStats> {
    return await readCgroupStats(this.task.context.layout, this.task.cgroup);
  }

  async update(resources: ResourcesSpec): Promise<void> {
    this.checkAlive('update');
    const { context, cgroup } = this.task;
    const { layout, launcher } = context;
    await launcher.run(updateOperations(layout, cgroup, resources, readLiveLimits(layout, cgroup), true));
  }

  async delete(): Promise<ExitStatus> {
    const { status } = this.state();
    if (status === 'running' || status === 'paused')
      throw new StrakeError('FailedPrecondition', `cannot delete ${this.id}: it is ${status}`, { fields: { layer: 'core' } });
    if (status === 'created') await this.kill(sigkill).catch(() => undefined);
    const exit = await this.wait();
    discardDirectory(this.dir, (error) => this.task.context.log.warn('a task directory was not deleted', { task: this.id, error: errorMessage(error) }));
    this.task.onDelete();
    return exit;
  }

  /** Takes over what was so before the daemon died. */
  adoptPaused(): void {
    this.setPaused(true);
  }

  private async freeze(frozen: boolean): Promise<void> {
    const { context } = this.task;
    const cgroup = this.task.cgroup;
    await context.launcher.run(freezeOperations(cgroup, frozen));
    const wanted = frozen ? 'frozen' : 'thawed';
    const deadline = performance.now() + freezeTimeoutMs;
    for (let state = readFreezer(cgroup); state !== wanted; state = readFreezer(cgroup)) {
      if (state === undefined) throw this.notRunning(frozen ? 'pause' : 'resume');
      if (performance.now() > deadline) {
        await context.launcher.run(freezeOperations(cgroup, !frozen));
        throw new StrakeError('DeadlineExceeded', `${this.id} was not ${wanted} within ${freezeTimeoutMs} ms`, { fields: { layer: 'core' } });
      }
      await delay(lookEveryMs);
    }
    this.setPaused(frozen);
  }

  private notRunning(verb: string): StrakeError {
    return new StrakeError('FailedPrecondition', `cannot ${verb} ${this.id}: it is ${this.state().status}`, { fields: { layer: 'core' } });
  }
}

function withoutSeccomp(spec: RuntimeSpec): RuntimeSpec {
  if (spec.linux?.seccomp === undefined) return spec;
  const { seccomp: _dropped, ...linux } = spec.linux;
  return { ...spec, linux };
}
