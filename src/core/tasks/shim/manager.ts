import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { type RuntimeInfo, type shimTask, taskTypes } from '../../../api/containerd/index.ts';
import { checkIdentifier, errorCode, errorMessage, isCode, type Logger, StrakeError, silentLogger } from '../../../base/index.ts';
import type { Launcher } from '../../../kernel/index.ts';
import type { ServedService } from '../../../rpc/ttrpc/index.ts';
import { Bundle } from './bundle.ts';
import { listBundles, visitBundles } from './find-bundles.ts';
import { killListener } from './kill-listener.ts';
import { removeLeftoverCgroup } from './leftover-cgroup.ts';
import { ManagedTask, type ManagedTaskOptions } from './managed-task.ts';
import { resolveRuntime } from './resolve-runtime.ts';
import { ShimBinary, type ShimCaller } from './shim-binary.ts';
import { type EventSink, ShimEvents } from './shim-events.ts';
import { ShimLog } from './shim-log.ts';
import type { CreateShimTask, Recovery, ShimEndpoint, ShimExit, ShimTask, ShimTasks, TypedOptions } from './shim-tasks.ts';

export interface ShimTaskManagerOptions {
  /** Bundles are in `io.containerd.runtime.v2.task/NAMESPACE/ID` below it, as containerd's are below its own. */
  readonly stateDirectory: string;
  readonly caller: ShimCaller;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly events: EventSink;
  readonly log?: Logger;
  /** Of a sandbox that has a shim of its own: its tasks are made there. */
  readonly sandboxEndpoint?: (namespace: string, sandboxId: string) => ShimEndpoint | undefined;
  /** How long `recover` waits for one shim: 1 s; one whose task nobody wants has 5 s to end. */
  readonly recoverTimeoutMs?: number;
}

const defaultRecoverTimeoutMs = 1_000;
const defaultDiscardTimeoutMs = 5_000;
/** Where a task is, and who may delete it when its shim cannot. */
type ShimPlace = Pick<ManagedTaskOptions, 'namespace' | 'id' | 'bundle'> & { readonly binary: ShimBinary };

/** What is said of a task when not even the shim's command knows. */
const unknownExit = 255;

export class ShimTaskManager implements ShimTasks {
  private readonly options: ShimTaskManagerOptions;
  private readonly log: Logger;
  private readonly directory: string;
  private readonly events: ShimEvents;
  private readonly tasks = new Map<string, ManagedTask>();
  private readonly creating = new Set<string>();
  /** What a daemon before this one left, on its way out. */
  private readonly removing = new Map<string, Promise<void>>();

  constructor(options: ShimTaskManagerOptions) {
    this.options = options;
    this.log = options.log ?? silentLogger;
    this.directory = path.join(options.stateDirectory, 'io.containerd.runtime.v2.task');
    this.events = new ShimEvents(options.events);
    mkdirSync(this.directory, { recursive: true, mode: 0o711 });
  }

  /** To be served at the ttrpc address that shims are told. */
  get forwarding(): ServedService {
    return this.events.service;
  }

  async create(create: CreateShimTask): Promise<ShimTask> {
    const { namespace, id } = create;
    checkIdentifier(namespace);
    checkIdentifier(id);
    const key = keyOf(namespace, id);
    await this.removing.get(key);
    if (this.tasks.has(key) || this.creating.has(key)) throw new StrakeError('AlreadyExists', `task ${id}`, { fields: { layer: 'core' } });
    this.creating.add(key);
    try {
      const task = await this.launch(create);
      this.tasks.set(key, task);
      await this.createIn(task, create);
      return task;
    } finally {
      this.creating.delete(key);
    }
  }

  get(namespace: string, id: string): ShimTask {
    const task = this.tasks.get(keyOf(namespace, id));
    if (task === undefined || this.creating.has(keyOf(namespace, id))) throw new StrakeError('NotFound', `task ${id}`, { fields: { layer: 'core' } });
    return task;
  }

  list(namespace?: string): readonly ShimTask[] {
    return [...this.tasks]
      .filter(([key, task]) => !this.creating.has(key) && (namespace === undefined || task.namespace === namespace))
      .map(([, task]) => task);
  }

  async info(runtime: string, options?: TypedOptions, signal?: AbortSignal): Promise<RuntimeInfo> {
    return await new ShimBinary(resolveRuntime(runtime), this.options.caller).info(options, signal);
  }

  async recover(): Promise<Recovery> {
    await visitBundles(this.directory, async ({ namespace, id }) => {
      try {
        await this.adopt(namespace, id);
      } catch (error) {
        this.logOf(namespace, id).error('a shim could not be taken over', { error: errorMessage(error) });
      }
    });
    return { removed: Promise.all(this.removing.values()).then(() => undefined) };
  }

  close(): void {
    for (const task of this.tasks.values()) task.release();
    this.tasks.clear();
  }

  /** A shim with a bundle, that has no task yet. */
  private async launch({ namespace, id, runtime, spec, options, sandboxId, signal }: CreateShimTask): Promise<ManagedTask> {
    const binary = new ShimBinary(resolveRuntime(runtime), this.options.caller);
    const bundle = this.bundleOf(namespace, id);
    await bundle.create(spec);
    const shimLog = new ShimLog(bundle.logPath, this.logOf(namespace, id));
    try {
      const shared = this.sharedShim(namespace, sandboxId);
      if (shared !== undefined && sandboxId !== undefined) bundle.saveSandbox(sandboxId);
      bundle.saveShimPath(binary.path);
      const endpoint = shared ?? (await binary.start({ namespace, id, bundle: bundle.directory, signal }, options));
      bundle.saveEndpoint(endpoint);
      return await ManagedTask.connect(this.taskOptions({ namespace, id, bundle, binary, endpoint, shimLog }), signal);
    } catch (error) {
      shimLog.close();
      await bundle.remove(this.log).catch((failure: unknown) => this.log.warn('a bundle was not removed', { error: errorMessage(failure) }));
      throw new StrakeError(errorCode(error), `failed to start shim: ${errorMessage(error)}`, { cause: error, fields: { layer: 'core' } });
    }
  }

  private async createIn(task: ManagedTask, { options, rootfs, stdio, checkpoint = '', signal }: CreateShimTask): Promise<void> {
    this.events.watch(task.namespace, task.id);
    try {
      const typed = options === undefined ? {} : { options: { typeUrl: options.typeUrl, value: options.value } };
      const request = { id: task.id, bundle: task.bundle, rootfs: rootfs.map(({ type, source, target, options }) => ({ type, source, target, options })) };
      const { pid } = await task.service.create({ ...request, ...stdio, checkpoint, ...typed }, { signal });
      task.pid = pid;
      this.bundleOf(task.namespace, task.id).saveCreated(pid);
    } catch (error) {
      await task.discard();
      this.events.tellUnmade(task.namespace, task.id);
      throw new StrakeError(errorCode(error), `failed to create shim task: ${errorMessage(error)}`, { cause: error, fields: { layer: 'core' } });
    }
  }

  /** The shim of a sandbox, when it takes other tasks. */
  private sharedShim(namespace: string, sandboxId: string | undefined): ShimEndpoint | undefined {
    const { sandboxEndpoint } = this.options;
    const endpoint = sandboxId === undefined ? undefined : (this.tasks.get(keyOf(namespace, sandboxId))?.endpoint ?? sandboxEndpoint?.(namespace, sandboxId));
    return endpoint !== undefined && endpoint.version >= 3 ? endpoint : undefined;
  }

  private async adopt(namespace: string, id: string): Promise<void> {
    const key = keyOf(namespace, id);
    if (this.tasks.has(key) || this.creating.has(key)) return;
    const bundle = this.bundleOf(namespace, id);
    const binary = new ShimBinary(bundle.readShimPath() ?? '', this.options.caller);
    const endpoint = bundle.readEndpoint();
    const log = this.logOf(namespace, id);
    if (endpoint === undefined) return this.removeMeanwhile({ namespace, id }, async () => await this.cleanUpUnfinished({ namespace, id, bundle, binary }));
    const shimLog = new ShimLog(bundle.logPath, log);
    try {
      const task = await this.ask(this.taskOptions({ namespace, id, bundle, binary, endpoint, shimLog }));
      if (task !== undefined) this.tasks.set(key, task);
    } catch (error) {
      shimLog.close();
      if (!isCode(error, 'Unavailable')) throw error;
      log.warn('a shim has gone while nobody looked', { error: errorMessage(error) });
      this.removeMeanwhile({ namespace, id }, async () => await this.deleteByCommand({ namespace, id, bundle, binary }));
    }
  }

  /** Nobody waits for it but who wants the same id again. */
  private removeMeanwhile({ namespace, id }: Pick<ShimPlace, 'namespace' | 'id'>, work: () => Promise<unknown>): void {
    const key = keyOf(namespace, id);
    const removal = async () => {
      try {
        await work();
      } catch (error) {
        this.logOf(namespace, id).error('something of a task is left', { error: errorMessage(error) });
      } finally {
        this.removing.delete(key);
      }
    };
    this.removing.set(key, removal());
  }

  /** The task of a shim that listens; undefined when the shim turns out to have none, and was ended. */
  private async ask(options: ManagedTaskOptions): Promise<ManagedTask | undefined> {
    const timeoutMs = this.recoverTimeoutMs;
    const task = await ManagedTask.connect(options, AbortSignal.timeout(timeoutMs));
    try {
      this.learn(task, await task.service.state({ id: task.id }, { timeoutMs }));
      return task;
    } catch (error) {
      const created = options.bundle.readCreated();
      if (isCode(error, 'DeadlineExceeded') && created !== undefined) {
        task.pid = created;
        options.log.warn('a shim does not answer; its task is kept', { error: errorMessage(error) });
        this.events.watch(task.namespace, task.id);
        void this.learnLater(task);
        return task;
      }
      // The daemon died in the midst of the creation: nobody has got the task, and the shim may wait forever for who was to read its output.
      if (isCode(error, 'NotFound') || isCode(error, 'DeadlineExceeded')) {
        this.removeMeanwhile(task, async () => await task.discard({ unfinished: true }));
        return undefined;
      }
      task.release();
      if (!isCode(error, 'Unimplemented') || options.endpoint.version <= 2) throw error;
      // It was begun by an older shim of the same name.
      return await this.ask({ ...options, endpoint: { ...options.endpoint, version: 2 } });
    }
  }

  private learn(task: ManagedTask, { pid, status, exitStatus, exitedAt }: shimTask.StateResponse): void {
    task.pid = pid;
    const at = exitedAt === undefined ? new Date() : timestampDate(exitedAt);
    this.events.watch(task.namespace, task.id, status === taskTypes.Status.STOPPED ? { pid, code: exitStatus, at } : undefined);
  }

  private async learnLater(task: ManagedTask): Promise<void> {
    try {
      this.learn(task, await task.service.state({ id: task.id }, { timeoutMs: undefined }));
    } catch (error) {
      if (isCode(error, 'NotFound')) await task.discard({ unfinished: true });
    }
  }

  /** The daemon died while the shim was starting, which may have gone on: to start it again is to find it, or one that is as easily ended. */
  private async cleanUpUnfinished(of: ShimPlace): Promise<void> {
    const { namespace, id, bundle, binary } = of;
    const log = this.logOf(namespace, id);
    log.warn('a task that was never made is removed');
    if (binary.path !== '') {
      try {
        const endpoint = await binary.start({ namespace, id, bundle: bundle.directory, signal: AbortSignal.timeout(this.discardTimeoutMs) }, undefined);
        const task = await ManagedTask.connect(this.taskOptions({ ...of, endpoint, shimLog: undefined }));
        return await task.discard({ unfinished: true });
      } catch (error) {
        log.warn('its shim could not be ended', { error: errorMessage(error) });
      }
    }
    await bundle.remove(log);
  }

  private taskOptions(of: ShimPlace & Pick<ManagedTaskOptions, 'endpoint' | 'shimLog'>): ManagedTaskOptions {
    const { namespace, id } = of;
    return {
      ...of,
      discardTimeoutMs: this.discardTimeoutMs,
      deleteByCommand: async () => await this.deleteByCommand(of),
      killShim: () => this.killShim(of.endpoint),
      log: this.logOf(namespace, id),
      onLost: async () => await this.settleLost(of),
      // A shim that ends at once may take its last word with it.
      onDeleting: async (exit) => await this.events.settleDeleted(namespace, id, exit),
      onDeleted: () => this.forget(namespace, id),
    };
  }

  /** Other bundles may be of the same shim, also those that were not taken over yet. */
  private killShim({ address }: ShimEndpoint): void {
    const users = listBundles(this.directory).filter(({ namespace, id }) => this.bundleOf(namespace, id).readEndpoint()?.address === address);
    if (users.length <= 1) killListener(address.replace(/^unix:\/\//, ''));
  }

  /** A shim has gone without its task. */
  private async settleLost(of: ShimPlace): Promise<ShimExit> {
    const { namespace, id } = of;
    const told = this.events.exitOf(namespace, id);
    const deleted = await this.deleteByCommand(of);
    const exit = told ?? deleted ?? { pid: this.tasks.get(keyOf(namespace, id))?.pid ?? 0, code: unknownExit, at: new Date() };
    this.events.tellEnd(namespace, id, exit);
    this.forget(namespace, id);
    return exit;
  }

  /** Undefined when the shim's command failed; what it did not do is in the log. */
  private async deleteByCommand({ namespace, id, bundle, binary }: ShimPlace): Promise<ShimExit | undefined> {
    const log = this.logOf(namespace, id);
    log.warn('a task is deleted by its shim’s command');
    const exit = await binary.delete({ namespace, id, bundle: bundle.directory }).catch((error: unknown) => {
      log.error('a shim’s command did not delete what it left', { error: errorMessage(error) });
      return undefined;
    });
    const told = (error: unknown) => log.error('something of a task is left', { bundle: bundle.directory, error: errorMessage(error) });
    await removeLeftoverCgroup(bundle, this.options.launcher).catch(told);
    await bundle.remove(log).catch(told);
    return exit;
  }

  private forget(namespace: string, id: string): void {
    this.tasks.delete(keyOf(namespace, id));
    this.events.forget(namespace, id);
  }

  private get discardTimeoutMs(): number {
    return this.options.recoverTimeoutMs ?? defaultDiscardTimeoutMs;
  }

  private get recoverTimeoutMs(): number {
    return this.options.recoverTimeoutMs ?? defaultRecoverTimeoutMs;
  }

  private bundleOf(namespace: string, id: string): Bundle {
    return new Bundle(path.join(this.directory, namespace, id), this.options.launcher);
  }

  private logOf(namespace: string, id: string): Logger {
    return this.log.with({ namespace, task: id });
  }
}

function keyOf(namespace: string, id: string): string {
  return `${namespace}/${id}`;
}
