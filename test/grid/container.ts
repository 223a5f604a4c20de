import { closeSync, constants, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type tasks, taskTypes } from '../../src/api/containerd/index.ts';
import { isCode } from '../../src/base/index.ts';
import { specType } from '../../src/core/containers/containers.ts';
import type { NamespacedCore } from '../../src/core/index.ts';
import { toWireMounts } from '../../src/core/wire/mounts.ts';
import { formatJson } from '../../src/oci/index.ts';
import type { Client } from '../../src/rpc/grpc/index.ts';
import { until } from '../lib/until.ts';
import type { World } from '../lib/world.ts';
import { specOf } from '../load/load-client.ts';

export interface Daemon {
  readonly stores: NamespacedCore;
  readonly tasks: Client<typeof tasks.Tasks>;
  /** The committed snapshot of the image. */
  readonly parent: string;
  readonly world: World;
}

export const { Status } = taskTypes;
type Process = NonNullable<tasks.GetResponse['process']>;

/** No call of the grid takes longer, whatever was killed beside it. */
const callTimeoutMs = 30_000;
export const exits = { term: 42, end: 7, exec: 5, killed: 137 } as const;
/** Numbers the lines that it reads: what was lost or came twice shows. */
const numbering = `trap 'exit ${exits.term}' TERM; n=0; while read line; do [ "$line" = end ] && exit ${exits.end}; n=$((n+1)); echo "$n $line"; done`;

/** One container of the grid, by containerd's calls; its task has FIFOs, which are held open here as a client's are. */
export class Container implements Disposable {
  readonly id: string;
  readonly runtime: string;
  /** The pid of the task, as it was answered last. */
  pid = 0;
  readonly #daemon: Daemon;
  readonly #fifos: readonly [stdin: Fifo, stdout: Fifo];
  #lines = 0;
  #output = '';

  private constructor(daemon: Daemon, id: string, runtime: string, fifos: readonly [Fifo, Fifo]) {
    this.#daemon = daemon;
    this.id = id;
    this.runtime = runtime;
    this.#fifos = fifos;
  }

  static async open(daemon: Daemon, id: string, runtime: string): Promise<Container> {
    const paths = ['stdin', 'stdout'].map((name) => path.join(daemon.world.work, `${id}.${name}`));
    await daemon.world.output(['mkfifo', ...paths]);
    return new Container(daemon, id, runtime, paths.map((name) => new Fifo(name)) as unknown as [Fifo, Fifo]);
  }

  get alive(): boolean {
    return this.pid > 0 && this.#daemon.world.alive(this.pid);
  }

  async create(): Promise<void> {
    const { stores, parent } = this.#daemon;
    await ifThere('AlreadyExists', stores.leaseStore.create({ id: this.id }));
    await ifThere('AlreadyExists', stores.withLease(this.id).snapshots.prepare(this.id, parent));
    const spec = { typeUrl: specType, value: Buffer.from(formatJson(specOf(this.id, ['sh', '-c', numbering]))) };
    const record = { id: this.id, labels: {}, image: '', runtime: { name: this.runtime, options: undefined }, spec };
    await ifThere(
      'AlreadyExists',
      stores.containers.create({ ...record, snapshotter: stores.snapshots.name, snapshotKey: this.id, sandboxId: '', extensions: {} }),
    );
    await stores.leaseStore.delete(this.id);
    await this.createTask();
  }

  async createTask(): Promise<void> {
    const { stores, tasks } = this.#daemon;
    for (const fifo of this.#fifos) fifo.empty();
    [this.#lines, this.#output] = [0, ''];
    const [stdin, stdout] = this.#fifos.map(({ name }) => name) as [string, string];
    const rootfs = [...toWireMounts(await stores.snapshots.mounts(this.id))];
    this.pid = (await tasks.create({ containerId: this.id, rootfs, stdin, stdout, stderr: stdout }, limited())).pid;
  }

  async start(): Promise<void> {
    this.pid = (await this.#daemon.tasks.start({ containerId: this.id }, limited())).pid;
  }

  /** False when it is not answered within the time, which its shim is told: it gives up then. */
  async startsWithin(timeoutMs: number): Promise<boolean> {
    return (await ifThere('DeadlineExceeded', this.#daemon.tasks.start({ containerId: this.id }, { timeoutMs }))) !== undefined;
  }

  /** The task; undefined when there is none. */
  async look(execId = ''): Promise<Process | undefined> {
    return (await ifThere('NotFound', this.#daemon.tasks.get({ containerId: this.id, execId }, limited())))?.process;
  }

  /** The same, once its daemon has noticed that a shim has gone. */
  async settled(): Promise<Process | undefined> {
    const seen = await until(`what is to be said of ${this.id}`, async () => {
      try {
        return { task: await this.look() };
      } catch (error) {
        if (!isCode(error, 'Unavailable')) throw error;
        return undefined;
      }
    });
    return seen.task;
  }

  /** Its streams lead where they led, and what goes through is neither lost nor doubled. */
  async answers(): Promise<void> {
    this.#lines += 1;
    this.#write(`line ${this.#lines}`);
    const wanted = Array.from({ length: this.#lines }, (_, index) => `${index + 1} line ${index + 1}\n`).join('');
    const read = (): boolean => {
      this.#output += this.#fifos[1].read();
      return this.#output.length >= wanted.length;
    };
    await until(`an answer of ${this.id}`, read).catch(() => undefined);
    expectEqual(`the output of ${this.id}`, this.#output, wanted);
  }

  async kill(signal: number): Promise<void> {
    await this.#daemon.tasks.kill({ containerId: this.id, signal }, limited());
  }

  /** Sends the line at which it ends. */
  async endItself(): Promise<void> {
    const exit = this.wait();
    this.#write('end');
    expectEqual(`the exit of ${this.id}`, await exit, exits.end);
  }

  async wait(execId = ''): Promise<number> {
    return (await this.#daemon.tasks.wait({ containerId: this.id, execId }, limited())).exitStatus;
  }

  /** Resolves with the exit status. */
  async deleteTask(): Promise<number> {
    return (await this.#daemon.tasks.delete({ containerId: this.id }, limited())).exitStatus;
  }

  async exec(execId: string): Promise<void> {
    const process = { cwd: '/', args: ['sh', '-c', `usleep 20000; exit ${exits.exec}`], env: ['PATH=/bin'], user: { uid: 0, gid: 0 } };
    const spec = { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value: Buffer.from(formatJson(process)) };
    const { tasks } = this.#daemon;
    await tasks.exec({ containerId: this.id, execId, spec }, limited());
    await this.startExec(execId);
  }

  async startExec(execId: string): Promise<void> {
    await this.#daemon.tasks.start({ containerId: this.id, execId }, limited());
  }

  /** Resolves with the exit status. */
  async deleteExec(execId: string): Promise<number> {
    return (await this.#daemon.tasks.deleteProcess({ containerId: this.id, execId }, limited())).exitStatus;
  }

  /** What is there besides a task. */
  async remove(): Promise<void> {
    const { stores } = this.#daemon;
    await ifThere('NotFound', stores.containers.delete(this.id));
    await ifThere('NotFound', stores.snapshots.remove(this.id));
    await ifThere('NotFound', stores.leaseStore.delete(this.id));
  }

  [Symbol.dispose](): void {
    for (const fifo of this.#fifos) fifo[Symbol.dispose]();
  }

  #write(line: string): void {
    this.#fifos[0].write(`${line}\n`);
  }
}

/** Undefined when it fails with the class. */
export async function ifThere<T>(code: 'NotFound' | 'AlreadyExists' | 'DeadlineExceeded', work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isCode(error, code)) throw error;
    return undefined;
  }
}

function limited(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(callTimeoutMs) };
}

export function expectEqual(what: string, seen: unknown, wanted: unknown): void {
  if (seen !== wanted) throw new Error(`${what}: ${JSON.stringify(seen)}, and not ${JSON.stringify(wanted)}`);
}

export function expectOneOf(what: string, seen: unknown, wanted: readonly unknown[]): void {
  if (!wanted.includes(seen)) throw new Error(`${what}: ${JSON.stringify(seen)}, which is none of ${JSON.stringify(wanted)}`);
}

/** Open for reading and writing: it neither waits for another side nor sees it leave. */
class Fifo implements Disposable {
  readonly name: string;
  readonly #descriptor: number;

  constructor(name: string) {
    this.name = name;
    this.#descriptor = openSync(name, constants.O_RDWR | constants.O_NONBLOCK);
  }

  write(text: string): void {
    writeSync(this.#descriptor, text);
  }

  /** What is there. */
  read(): string {
    const buffer = Buffer.alloc(65_536);
    try {
      return buffer.subarray(0, readSync(this.#descriptor, buffer)).toString();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return '';
    }
  }

  empty(): void {
    while (this.read() !== '');
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    rmSync(this.name);
  }
}
