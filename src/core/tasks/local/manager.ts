import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { discardDirectory, errorMessage, type Logger, removeDirectory, StrakeError, silentLogger, sweepDiscarded } from '../../../base/index.ts';
import {
  type CgroupDirectories,
  type CgroupLayout,
  type CgroupPlan,
  cgroupCleanup,
  cgroupDirectories,
  freezeOperations,
  type Launcher,
  type Op,
  planCgroup,
  readCgroupLayout,
  readExistingCgroups,
  readFreezer,
} from '../../../kernel/index.ts';
import type { RuntimeSpec } from '../../../oci/index.ts';
import {
  compileCreate,
  type Machine,
  monitorOps,
  readMachine,
  restoreOperations,
  rootfsParentMount,
  withAbsoluteSources,
  withDefaultDeviceRules,
} from '../../../runtime/index.ts';
import type { EventBus } from '../../events/events.ts';
import { admitMappedRoot } from '../admit-mapped-root.ts';
import { connectNetworkOps } from '../connect-network.ts';
import { copyUpOps } from '../copy-up.ts';
import { hostEnvironment } from '../host-environment.ts';
import { Reaper } from '../reaper.ts';
import type { CreateTask, ExitStatus, OciRuntimeBinary, Task, TaskManager } from '../tasks.ts';
import type { TaskContext } from './context.ts';
import { settleLostProcess } from './lost-process.ts';
import { mountRootfs } from './mount-rootfs.ts';
import { OciRuntime } from './oci-runtime.ts';
import { OwnRuntime } from './own-runtime.ts';
import { checkId, taskFiles } from './paths.ts';
import { reconnect } from './reconnect.ts';
import { claimTelling, readDescription, readExitRecord, readMonitorRecord, type TaskDescription, writeDescription } from './records.ts';
import { spliceCopyUp } from './splice-copy-up.ts';
import { LocalTask, type LocalTaskOptions } from './task.ts';

export interface LocalTaskManagerOptions {
  /** `/run/strake`: the task directories are in `tasks/` below it. */
  readonly execRoot: string;
  readonly launcher: Launcher;
  readonly events: EventBus;
  readonly log?: Logger;
  readonly machine?: Machine;
  readonly layout?: CgroupLayout;
  /** Tasks that wait for their start are found again; else they go with the daemon that made them. */
  readonly keepsCreated?: boolean;
}

/** Tasks behind in-process launches: one monitor each, and no process or timer of ours. */
export class LocalTaskManager implements TaskManager {
  private readonly context: TaskContext;
  private readonly execRoot: string;
  private readonly keepsCreated: boolean;
  private readonly tasksDir: string;
  private readonly mountpoint: string;
  private readonly reaper: Reaper;
  private readonly tasks = new Map<string, LocalTask>();
  private readonly creating = new Set<string>();

  constructor(options: LocalTaskManagerOptions) {
    this.context = {
      launcher: options.launcher,
      layout: options.layout ?? readCgroupLayout(),
      machine: options.machine ?? readMachine(),
      events: options.events,
      log: options.log ?? silentLogger,
    };
    this.execRoot = options.execRoot;
    this.keepsCreated = options.keepsCreated ?? false;
    this.tasksDir = path.join(options.execRoot, 'tasks');
    this.mountpoint = path.join(options.execRoot, 'rootfs');
    this.reaper = new Reaper(options.execRoot);
    mkdirSync(this.tasksDir, { recursive: true, mode: 0o711 });
    // One of an earlier version was 0700.
    chmodSync(this.tasksDir, 0o711);
  }

  async create(create: CreateTask): Promise<Task> {
    const { id, spec, note, bundle, runtime, restore, shim } = create;
    checkId(id);
    if (shim !== undefined) throw new StrakeError('Unimplemented', `the shim ${shim.name}: not for tasks of this process`, { fields: { layer: 'core' } });
    if (this.tasks.has(id) || this.creating.has(id)) throw new StrakeError('AlreadyExists', `task ${id} exists already`, { fields: { layer: 'core' } });
    this.creating.add(id);
    const dir = path.join(this.tasksDir, id);
    // What is there without a task is of an earlier life.
    this.discard(dir);
    mkdirSync(dir, { mode: 0o700 });
    const awaitMonitor = create.stdio.routes?.stdout?.kind === 'program';
    const description: TaskDescription = { id, spec, ...(note === undefined ? {} : { note }), bundle, runtime, awaitMonitor };
    const other = runtime === undefined ? undefined : this.ociRuntime(dir, description, runtime);
    const startsAtOnce = create.startsAtOnce === true && other === undefined && restore === undefined;
    try {
      forgetVolatileMount(create);
      const operations =
        other !== undefined ? await this.prepareOther(other, create) : restore === undefined ? this.plan(create) : this.planRestore(create, restore.imagePath);
      writeDescription(dir, description);
      const { connection, report } = await this.context.launcher.launch(operations, {
        ...(create.signal === undefined ? {} : { signal: create.signal }),
        start: startsAtOnce,
      });
      if (other !== undefined && create.network !== undefined) await this.context.launcher.run(connectNetworkOps(report.initPid, create.network));
      const task = this.track(description, {
        pid: report.initPid,
        startTime: report.initStartTime,
        connection,
        operations,
        started: false,
        startsAtOnce,
        // Our restore makes the processes at once: what waits for the start is the one to hear of it.
        runsAlready: restore !== undefined && other === undefined,
      });
      this.context.events.publish('/tasks/create', { containerId: id, pid: report.initPid });
      return task;
    } catch (error) {
      const explained = other === undefined ? error : other.explain(error, 'create', dir);
      if (other !== undefined) await this.quietly('removal after a failed creation', id, async () => await other.remove());
      await this.removeLeftovers(dir, cgroupPathOf(spec, id), create.network?.cleanupOperations ?? []);
      throw explained;
    } finally {
      this.creating.delete(id);
    }
  }

  get(id: string): Task {
    const task = this.tasks.get(id);
    if (task === undefined) throw new StrakeError('NotFound', `no task ${id}`, { fields: { layer: 'core' } });
    return task;
  }

  list(): readonly Task[] {
    return [...this.tasks.values()];
  }

  async recover(): Promise<void> {
    for (const name of await sweepDiscarded(this.tasksDir)) await this.recoverTask(name);
  }

  /** Of one task alone, whatever else there is. */
  async recoverTask(id: string): Promise<void> {
    try {
      checkId(id);
      if (this.tasks.has(id) || !existsSync(path.join(this.tasksDir, id))) return;
      await this.adopt(id);
    } catch (error) {
      this.context.log.error('a task could not be taken over', { container: id, error: errorMessage(error) });
    }
  }

  plan(create: CreateTask): readonly Op[] {
    const { id, spec } = create;
    const { machine, log } = this.context;
    const dir = path.join(this.tasksDir, id);
    const operations = compileCreate(spec, {
      id,
      rootfs: create.rootfs,
      volatileRoot: create.volatileRoot,
      mountpoint: this.mountpoint,
      bundle: create.bundle ?? dir,
      stdio: { kind: 'monitor', dir, ...create.stdio },
      start: { kind: 'connection' },
      machine,
      noNewKeyring: true,
      cgroup: this.cgroupOf(spec, id).plan,
      network: create.network,
      reaper: create.reaper ?? false,
      onWarning: (message) => log.warn(message, { container: id }),
      ...rootfsParentMount(spec, this.mountpoint),
    });
    return spliceCopyUp(operations, create.copyUp ?? []);
  }

  /** What our own programs do on their way has to be done before and after another runtime's. */
  private async prepareOther(other: OciRuntime, create: CreateTask): Promise<readonly Op[]> {
    const { launcher } = this.context;
    const dir = path.join(this.tasksDir, create.id);
    if (create.bundle === undefined) admitMappedRoot(dir, create.spec);
    const filling = copyUpOps(create, path.join(dir, 'copy-up'));
    if (filling.length > 0) await launcher.run(filling);
    return other.createOperations(create.reaper ? { ...create, spec: this.reaper.addTo(create.spec) } : create);
  }

  private planRestore(create: CreateTask, imagePath: string): readonly Op[] {
    const { id, stdio, bundle, rootfs } = create;
    const dir = path.join(this.tasksDir, id);
    const spec = withAbsoluteSources(create.spec, bundle ?? dir);
    const cgroup = this.cgroupOf(spec, id);
    const flags = { tcpEstablished: true, extUnixSk: true, shellJob: stdio.terminal, fileLocks: true, autoDedup: false, lazyPages: false };
    return restoreOperations(
      spec,
      cgroup,
      { imagePath, workPath: dir, manageCgroupsMode: 'soft', flags },
      {
        monitor: monitorOps({ kind: 'monitor', dir, ...stdio }, cgroup.plan.oomFile),
        mountRoot: mountRootfs(rootfs, this.mountpoint),
        rootfs: rootfs.type === 'directory' ? rootfs.path : this.mountpoint,
        criuRoot: path.join(dir, 'criu-root'),
        environment: hostEnvironment(),
        detach: false,
      },
    );
  }

  private cgroupOf(spec: RuntimeSpec, id: string): { readonly plan: CgroupPlan; readonly directories: CgroupDirectories } {
    const { layout } = this.context;
    const directories = cgroupDirectories(layout, cgroupPathOf(spec, id));
    const existing = readExistingCgroups(layout, directories);
    return { directories, plan: planCgroup({ layout, directories, resources: withDefaultDeviceRules(spec.linux?.resources), existing, lenient: true }) };
  }

  private track(
    description: TaskDescription,
    process: Pick<LocalTaskOptions, 'pid' | 'startTime' | 'connection' | 'operations' | 'started' | 'startsAtOnce' | 'runsAlready'>,
  ): LocalTask {
    const { id, spec, note, runtime, awaitMonitor = false } = description;
    const { context } = this;
    let { pid } = process;
    const dir = path.join(this.tasksDir, id);
    const cgroupPath = cgroupPathOf(spec, id);
    const cgroup = cgroupDirectories(context.layout, cgroupPath);
    const driver =
      runtime === undefined
        ? new OwnRuntime({ context, id, spec, cgroup, init: () => ({ pid, startTime: process.startTime }) })
        : this.ociRuntime(dir, description, runtime);
    /** Its monitor tells when memory runs out, as long as it is there. */
    let isMonitored = true;
    const tellOom = () => {
      context.events.publish('/tasks/oom', { containerId: id });
      tracked.oomKills.note();
    };
    const tracked = new LocalTask({
      ...process,
      id,
      dir,
      note,
      awaitMonitor,
      cgroup,
      driver,
      context,
      lost: async (lost) => {
        isMonitored = false;
        return await this.settle(lost, cgroupPath);
      },
      onOom: tellOom,
      explain: (error) => driver.explain(error, 'start', dir),
      onStarted: (started) => {
        pid = started;
        // No monitor could tell that from its creation.
        if (process.runsAlready === true) writeFileSync(taskFiles.started(dir), '', { mode: 0o600 });
        context.events.publish('/tasks/start', { containerId: id, pid });
      },
      onExit: (exit) => {
        if (this.keepsCreated && !claimTelling(dir)) return;
        if (exit.oomKilled && !isMonitored) tellOom();
        context.events.publish('/tasks/exit', { containerId: id, id, pid, exitStatus: exit.code, exitedAt: exit.at });
      },
      onDelete: async () => {
        await driver.remove();
        this.discard(dir);
        if (this.tasks.get(id) !== tracked) return;
        this.tasks.delete(id);
        context.events.publish('/tasks/delete', { containerId: id, pid });
      },
    });
    this.tasks.set(id, tracked);
    return tracked;
  }

  private ociRuntime(dir: string, { id, spec, bundle }: TaskDescription, runtime: OciRuntimeBinary): OciRuntime {
    const { context, execRoot } = this;
    const cgroup = cgroupDirectories(context.layout, cgroupPathOf(spec, id));
    return new OciRuntime({ context, id, dir, bundle: bundle ?? dir, runtime, cgroup, execRoot });
  }

  /** The monitor did not tell the exit, so it did not clean up either. */
  private async settle(process: { readonly pid: number; readonly startTime: bigint; readonly dir: string }, cgroupPath: string): Promise<ExitStatus> {
    const { layout, launcher } = this.context;
    const freezer = cgroupDirectories(layout, cgroupPath);
    // A frozen process does not die.
    if (readFreezer(freezer) === 'frozen') await launcher.run(freezeOperations(freezer, false)).catch(() => undefined);
    const exit = await settleLostProcess(process);
    await this.removeCgroup(cgroupPath);
    return exit;
  }

  private async adopt(id: string): Promise<void> {
    const dir = path.join(this.tasksDir, id);
    const description = readDescription(dir);
    const record = readMonitorRecord(dir);
    if (description === undefined || record === undefined) {
      const { runtime } = description ?? {};
      if (description !== undefined && runtime !== undefined)
        await this.quietly('removal of a task that was not made', id, async () => await this.ociRuntime(dir, description, runtime).remove());
      await this.removeLeftovers(dir, cgroupPathOf(description?.spec, id), []);
      return;
    }
    const started = readExitRecord(dir) !== undefined || existsSync(taskFiles.started(dir));
    const connection = await reconnect(dir);
    const task = this.track(description, { pid: record.pid, startTime: record.startTime, connection, operations: [], started });
    if (!started && !this.keepsCreated) {
      // The daemon died between create and start: nobody has seen it yet.
      await task.delete();
      return;
    }
    await task.adopt(readFreezer(cgroupDirectories(this.context.layout, cgroupPathOf(description.spec, id))) === 'frozen');
  }

  private discard(dir: string): void {
    discardDirectory(dir, (error) => this.context.log.warn('a task directory was not deleted', { dir, error: errorMessage(error) }));
  }

  private async quietly(what: string, id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.context.log.warn(`${what} failed`, { container: id, error: errorMessage(error) });
    }
  }

  private async removeLeftovers(dir: string, cgroupPath: string, cleanup: readonly Op[]): Promise<void> {
    await this.removeCgroup(cgroupPath, cleanup);
    await removeDirectory(dir);
  }

  /** Best effort: the first failure is the one to tell. */
  private async removeCgroup(cgroupPath: string, others: readonly Op[] = []): Promise<void> {
    const cleanup = cgroupCleanup(cgroupDirectories(this.context.layout, cgroupPath));
    for (const operations of [others, cleanup]) {
      if (operations.length === 0) continue;
      try {
        await this.context.launcher.run(operations);
      } catch (error) {
        this.context.log.warn('cleanup after a launch failed', { cgroup: cgroupPath, error: errorMessage(error) });
      }
    }
  }
}

/** The kernel mounts no overlay again that was volatile once, until who answers for the data says so (Documentation/filesystems/overlayfs.rst, "Volatile mount"). */
function forgetVolatileMount({ rootfs }: CreateTask): void {
  if (rootfs.type === 'overlay' && rootfs.work !== undefined) rmSync(path.join(rootfs.work, 'work/incompat/volatile'), { recursive: true, force: true });
}

function cgroupPathOf(spec: RuntimeSpec | undefined, id: string): string {
  return spec?.linux?.cgroupsPath || `/strake/${id}`;
}
