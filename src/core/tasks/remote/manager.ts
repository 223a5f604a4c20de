import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { tasks, taskTypes } from '../../../api/containerd/index.ts';
import { errorMessage, isCode, type Logger, StrakeError } from '../../../base/index.ts';
import { type CgroupLayout, cgroupDirectories, type Launcher, type Op } from '../../../kernel/index.ts';
import { formatJson, type RuntimeSpec } from '../../../oci/index.ts';
import { type ContainerStore, type RuntimeChoice, specType } from '../../containers/containers.ts';
import type { EventBus } from '../../events/events.ts';
import type { TypedValue } from '../../typed-value.ts';
import { toWireMounts } from '../../wire/index.ts';
import { connectNetworkOps } from '../connect-network.ts';
import { copyUpOps } from '../copy-up.ts';
import { checkId } from '../local/paths.ts';
import { Reaper } from '../reaper.ts';
import type { CreateTask, ExecOptions, Task, TaskManager } from '../tasks.ts';
import type { RemoteContext } from './context.ts';
import type { RemoteProcessOptions, TasksClient, ToldExit } from './remote-process.ts';
import { RemoteTask } from './remote-task.ts';
import { StdioRelay } from './stdio-relay.ts';
import { readTaskPid, readTaskRecord, type TaskRecord, writeTaskPid, writeTaskRecord } from './task-record.ts';

/** A containerd that is down is asked again after this time. */
const retryMs = 250;

export interface RemoteTaskManagerOptions {
  /** In the namespace of the tasks. */
  readonly connection: { client(service: typeof tasks.Tasks): TasksClient };
  readonly containers: ContainerStore;
  readonly events: EventBus;
  /** Has the FIFOs and records of the tasks, in `remote-tasks/ID`. */
  readonly execRoot: string;
  /** Of tasks that name none, and whose container is not known yet. */
  readonly runtime: RuntimeChoice;
  readonly launcher: Pick<Launcher, 'run'>;
  readonly layout: CgroupLayout;
  readonly availableCapabilities: readonly string[];
  readonly log: Logger;
}

/** Tasks that others hold on this machine, by containerd's service for them: another containerd, ours or the real one, or that service in this process, over shims. */
export class RemoteTaskManager implements TaskManager, Disposable {
  readonly #context: RemoteContext;
  readonly #dir: string;
  readonly #tasks = new Map<string, RemoteTask>();
  readonly #creating = new Set<string>();
  /** By task and process: of those that run, as far as is known here. */
  readonly #exits = new Map<string, ToldExit>();
  readonly #ended = new AbortController();
  readonly #reaper: Reaper;

  constructor({ connection, events, execRoot, ...options }: RemoteTaskManagerOptions) {
    const { layout } = options;
    this.#context = {
      ...options,
      client: connection.client(tasks.Tasks),
      cgroupOf: ({ id, spec }) => cgroupDirectories(layout, spec.linux?.cgroupsPath ?? `/${id}`),
    };
    this.#dir = path.join(execRoot, 'remote-tasks');
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    this.#reaper = new Reaper(execRoot);
    void this.#hear(events);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  async create(create: CreateTask): Promise<Task> {
    const { id, stdio, note, network, signal } = create;
    checkId(id);
    checkPossible(create);
    if (this.#tasks.has(id) || this.#creating.has(id)) throw new StrakeError('AlreadyExists', `task ${id} exists already`, { fields: { layer: 'core' } });
    this.#creating.add(id);
    const dir = path.join(this.#dir, id);
    // What is there without a task is of an earlier life.
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { mode: 0o700 });
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rmSync(dir, { recursive: true, force: true }));
    undo.defer(() => void this.#creating.delete(id));
    const spec = this.#specOf(create);
    const ownsContainer = !(await this.#updateContainer(id, spec));
    const record: TaskRecord = { id, spec, stdio, ownsContainer, ...(note === undefined ? {} : { note }) };
    writeTaskRecord(dir, record);
    if (ownsContainer) {
      undo.defer(async () => await this.#deleteContainer(id).catch(() => undefined));
      await this.#createContainer(create, spec);
    }
    const relay = await StdioRelay.open({ ...this.#context, dir, stdio }, true);
    undo.defer(() => relay.close());
    const { client, launcher } = this.#context;
    const filling = copyUpOps(create, path.join(dir, 'rootfs'));
    if (filling.length > 0) await launcher.run(filling);
    const { pid } = await client.create(
      { containerId: id, rootfs: rootfsOf(create), ...relay.paths, terminal: stdio.terminal },
      signal === undefined ? {} : { signal },
    );
    undo.defer(async () => await this.#discard(id));
    writeTaskPid(dir, pid);
    if (network !== undefined) await launcher.run(connectNetworkOps(pid, network));
    const task = this.#track(record, relay, { pid, phase: 'created' });
    undo.move();
    this.#creating.delete(id);
    return task;
  }

  plan(): readonly Op[] {
    throw new StrakeError('Unimplemented', 'what another containerd does is not known before it is done', { fields: { layer: 'core' } });
  }

  get(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw new StrakeError('NotFound', `no task ${id}`, { fields: { layer: 'core' } });
    return task;
  }

  list(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  /** Tasks that containerd has and this manager has made before; directories of those that it has no more go. */
  async recover(): Promise<void> {
    const { client, log } = this.#context;
    const there = new Map((await client.list({})).tasks.map((process) => [process.id, process]));
    const takeOver = async (id: string) => {
      try {
        await this.#takeOver(id, there.get(id));
      } catch (error) {
        log.error('a task could not be taken over', { container: id, error: errorMessage(error) });
      }
    };
    await Promise.all(
      readdirSync(this.#dir)
        .filter((id) => !this.#tasks.has(id))
        .map(takeOver),
    );
  }

  async #takeOver(id: string, listed: FoundProcess | undefined): Promise<void> {
    const dir = path.join(this.#dir, id);
    const record = readTaskRecord(dir);
    const process = listed ?? (await this.#askFor(id, dir));
    if (process === undefined || record === undefined) {
      if (record?.ownsContainer) await this.#deleteContainer(id);
      rmSync(dir, { recursive: true, force: true });
      return;
    }
    const relay = await StdioRelay.open({ ...this.#context, dir, stdio: record.stdio }, false);
    const phase = process.status === taskTypes.Status.CREATED ? 'created' : process.status === taskTypes.Status.PAUSED ? 'paused' : 'running';
    this.#track(record, relay, { pid: process.pid, phase });
  }

  /** Of a task that is in no list: of those is left out whose holder does not answer. That one is kept, and taken to run. */
  async #askFor(containerId: string, dir: string): Promise<FoundProcess | undefined> {
    try {
      return (await this.#context.client.get({ containerId })).process;
    } catch (error) {
      if (isCode(error, 'NotFound')) return undefined;
      this.#context.log.warn('a task does not answer; it is kept', { container: containerId, error: errorMessage(error) });
      return { pid: readTaskPid(dir), status: taskTypes.Status.RUNNING };
    }
  }

  #track(record: TaskRecord, relay: StdioRelay, { pid, phase }: Pick<RemoteProcessOptions, 'pid' | 'phase'>): RemoteTask {
    const { id, note, ownsContainer } = record;
    const { client } = this.#context;
    const task = new RemoteTask({
      context: this.#context,
      client,
      containerId: id,
      execId: '',
      pid,
      phase,
      relay,
      note,
      record,
      wasOomKilled: () => task.oomKills.any,
      toldExit: () => this.#exits.get(exitKey(id, id)),
      toldExitOf: (execId) => this.#exits.get(exitKey(id, execId)),
      openExec: async (options) => await this.#openExec(id, options),
      onExit: () => undefined,
      onDelete: async () => {
        this.#tasks.delete(id);
        for (const key of this.#exits.keys()) if (key.startsWith(exitKey(id, ''))) this.#exits.delete(key);
        await absentIsFine(async () => await client.delete({ containerId: id }));
        if (ownsContainer) await this.#deleteContainer(id);
        rmSync(path.join(this.#dir, id), { recursive: true, force: true });
      },
    });
    this.#tasks.set(id, task);
    return task;
  }

  #specOf({ spec: given, stdio, reaper = false }: CreateTask): RuntimeSpec {
    const spec = reaper ? this.#reaper.addTo(given) : given;
    const { process } = spec;
    if (process === undefined) return spec;
    const { consoleSize } = stdio;
    return {
      ...spec,
      process: {
        ...process,
        terminal: stdio.terminal,
        ...(consoleSize === undefined ? {} : { consoleSize: { height: consoleSize.rows, width: consoleSize.cols } }),
      },
    };
  }

  async #openExec(id: string, { execId, stdio }: ExecOptions): Promise<Pick<RemoteProcessOptions, 'relay' | 'onDelete'>> {
    checkId(execId);
    const dir = path.join(this.#dir, id, 'execs', execId);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const relay = await StdioRelay.open({ ...this.#context, dir, stdio }, true);
    const onDelete = async () => {
      this.#exits.delete(exitKey(id, execId));
      rmSync(dir, { recursive: true, force: true });
    };
    return { relay, onDelete };
  }

  /** False when there is none. */
  async #updateContainer(id: string, spec: RuntimeSpec): Promise<boolean> {
    try {
      await this.#context.containers.update(id, { spec: specValue(spec) });
      return true;
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
      return false;
    }
  }

  /** What its task is made of, and who makes it. */
  async #createContainer({ id, shim }: CreateTask, spec: RuntimeSpec): Promise<void> {
    const { containers, runtime } = this.#context;
    const own = { id, labels: {}, image: '', snapshotter: '', snapshotKey: '', sandboxId: '', extensions: {} };
    await containers.create({ ...own, runtime: shim ?? runtime, spec: specValue(spec) });
  }

  async #deleteContainer(id: string): Promise<void> {
    await absentIsFine(async () => await this.#context.containers.delete(id));
  }

  /** A task that was made and is not wanted. */
  async #discard(id: string): Promise<void> {
    const { client } = this.#context;
    await client.kill({ containerId: id, signal: 9 }).catch(() => undefined);
    await client.wait({ containerId: id }).catch(() => undefined);
    await client.delete({ containerId: id }).catch(() => undefined);
  }

  /** Of what the exit does not tell, and of exits that nobody can be asked for any more. */
  async #hear(events: EventBus): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        for await (const { topic, payload } of events.subscribe({ topics: ['/tasks/oom', '/tasks/exit'], signal })) {
          if (topic === '/tasks/oom') this.#tasks.get(String(payload['containerId']))?.oomKills.note();
          else this.#noteExit(payload as unknown as NotedExit);
        }
      } catch {
        // A containerd that is down has nothing to tell.
        await pause(retryMs, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  #noteExit({ containerId, id, exitStatus: code, exitedAt: at = new Date() }: NotedExit): void {
    const task = this.#tasks.get(containerId);
    if (task !== undefined && (id === containerId || task.getExec(id) !== undefined)) this.#exits.set(exitKey(containerId, id), { code, at });
  }
}

type FoundProcess = Pick<taskTypes.Process, 'pid' | 'status'>;

/** containerd's TaskExit. */
interface NotedExit {
  readonly containerId: string;
  readonly id: string;
  readonly exitStatus: number;
  readonly exitedAt?: Date;
}

function rootfsOf({ rootfs }: CreateTask) {
  if (rootfs.type === 'directory') return [{ type: 'bind', source: rootfs.path, options: ['rbind', 'rw'] }];
  return [...toWireMounts(rootfs)];
}

function exitKey(id: string, processId: string): string {
  return `${id}/${processId}`;
}

function specValue(spec: RuntimeSpec): TypedValue {
  return { typeUrl: specType, value: Buffer.from(formatJson(spec)) };
}

function checkPossible({ stdio, runtime, restore }: CreateTask): void {
  const problem =
    stdio.routes !== undefined ? 'streams that lead elsewhere' : restore ? 'processes that were saved' : runtime ? 'a runtime of one’s own' : undefined;
  if (problem !== undefined) throw new StrakeError('Unimplemented', `${problem}: not with another containerd`, { fields: { layer: 'core' } });
}

async function absentIsFine(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
