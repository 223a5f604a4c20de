import { isCode, StrakeError } from '../../../base/index.ts';
import { type CgroupDirectories, cgroupPids, readCgroupStats } from '../../../kernel/index.ts';
import type { ResourcesSpec } from '../../../oci/index.ts';
import { OomKills } from '../oom-kills.ts';
import type { CheckpointOptions, ExecOptions, Process, Task, TaskStats } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import type { TaskDriver } from './driver.ts';
import { adoptExecs, createExec, type ExecHost } from './exec.ts';
import { LocalProcess, type LocalProcessOptions } from './process.ts';

const sigkill = 9;

export interface LocalTaskOptions extends LocalProcessOptions {
  readonly driver: TaskDriver;
  readonly cgroup: CgroupDirectories;
  readonly context: TaskContext;
}

export class LocalTask extends LocalProcess implements Task {
  private readonly task: LocalTaskOptions;
  readonly oomKills = new OomKills();
  private readonly execs = new Map<string, Process>();

  constructor(options: LocalTaskOptions) {
    super(options);
    this.task = options;
  }

  async exec(options: ExecOptions): Promise<Process> {
    if (this.state().status !== 'running') throw this.notRunning('exec in');
    if (this.execs.has(options.execId)) throw new StrakeError('AlreadyExists', `exec ${options.execId} exists already`, { fields: { layer: 'core' } });
    const process = await createExec(this.execHost(), options);
    this.execs.set(options.execId, process);
    return process;
  }

  getExec(execId: string): Process | undefined {
    return this.execs.get(execId);
  }

  listExecs(): readonly Process[] {
    return [...this.execs.values()];
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
    const { kill } = this.task.driver;
    if (kill === undefined) await super.kill(signal, options);
    else await this.ask('kill', async () => await kill(signal, options.all ?? false));
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
    await this.task.driver.update(resources);
  }

  async checkpoint(options: CheckpointOptions): Promise<void> {
    const { status } = this.state();
    if (status !== 'running' && status !== 'paused') throw this.notRunning('checkpoint');
    await this.task.driver.checkpoint(options);
  }

  /** Takes over what was so before the daemon died. */
  async adopt(paused: boolean): Promise<void> {
    this.setPaused(paused);
    for (const process of await adoptExecs(this.execHost())) this.execs.set(process.id, process);
  }

  private execHost(): ExecHost {
    const { context, driver } = this.task;
    return { context, driver, taskId: this.id, taskDir: this.dir, forget: (execId) => this.execs.delete(execId) };
  }

  private async freeze(frozen: boolean): Promise<void> {
    await this.task.driver.freeze(frozen);
    this.setPaused(frozen);
  }

  private notRunning(verb: string): StrakeError {
    return new StrakeError('FailedPrecondition', `cannot ${verb} ${this.id}: it is ${this.state().status}`, { fields: { layer: 'core' } });
  }
}
