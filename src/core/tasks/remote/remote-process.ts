import { setTimeout as pause } from 'node:timers/promises';
import type { tasks } from '../../../api/containerd/index.ts';
import { isCode, StrakeError, untilAborted } from '../../../base/index.ts';
import type { Client } from '../../../rpc/grpc/index.ts';
import { dateOf } from '../../wire/messages.ts';
import type { Attachment, AttachOptions, ExitStatus, Process, ProcessState } from '../tasks.ts';
import type { StdioRelay } from './stdio-relay.ts';

export type TasksClient = Client<typeof tasks.Tasks>;

/** Output that is still on its way when the process has ended is waited for so long: others may hold the FIFOs open. */
const drainMs = 2_000;
/** A containerd that is down is asked again after this time. */
const retryMs = 250;
const sigkill = 9;
/** When nobody knows (containerd's `UnknownExitStatus`). */
const unknownExitCode = 255;

export type ToldExit = Pick<ExitStatus, 'code' | 'at'>;

export interface RemoteProcessOptions {
  readonly client: TasksClient;
  readonly containerId: string;
  /** Empty for the task itself. */
  readonly execId: string;
  readonly pid: number;
  readonly relay: StdioRelay;
  readonly note: unknown;
  readonly phase: 'created' | 'running' | 'paused';
  /** Whether the kernel killed any of its processes for want of memory. */
  readonly wasOomKilled: () => boolean;
  /** What was told of its end, for the case that nobody has it any more. */
  readonly toldExit: () => ToldExit | undefined;
  /** Removes what is left of it at containerd and here. */
  readonly onDelete: () => Promise<void>;
  readonly onExit: () => void;
}

/** A process of a containerd's task. Its phase is remembered here: questions about it are answered at once. */
export class RemoteProcess implements Process {
  readonly id: string;
  readonly note: unknown;
  protected readonly remote: RemoteProcessOptions;
  #pid: number;
  #phase: 'created' | 'running' | 'paused';
  #exit: ExitStatus | undefined;
  #starting: Promise<void> | undefined;
  #deleting: Promise<void> | undefined;
  readonly #exited: Promise<ExitStatus>;
  readonly #forgotten = new AbortController();

  constructor(options: RemoteProcessOptions) {
    this.remote = options;
    this.id = options.execId === '' ? options.containerId : options.execId;
    this.note = options.note;
    this.#pid = options.pid;
    this.#phase = options.phase;
    options.relay.closeInput = async () => await options.client.closeIO({ ...this.ids, stdin: true });
    this.#exited = this.#watch();
    // Who deletes it before it ended does not wait any more.
    this.#exited.catch(() => undefined);
  }

  protected get ids(): { readonly containerId: string; readonly execId: string } {
    return { containerId: this.remote.containerId, execId: this.remote.execId };
  }

  state(): ProcessState {
    return this.#exit === undefined ? { status: this.#phase, pid: this.#pid } : { status: 'stopped', pid: this.#pid, exit: this.#exit };
  }

  async start(): Promise<void> {
    if (this.#exit !== undefined || this.#phase !== 'created')
      throw new StrakeError('FailedPrecondition', `cannot start ${this.id}: it is ${this.state().status}`, { fields: { layer: 'core' } });
    this.#starting ??= this.#release();
    await this.#starting;
  }

  async attach(options: AttachOptions): Promise<Attachment> {
    return this.remote.relay.attach(options);
  }

  async resize(rows: number, cols: number): Promise<void> {
    await this.ask('resize', async () => await this.remote.client.resizePty({ ...this.ids, width: cols, height: rows }));
  }

  async closeStdin(): Promise<void> {
    await this.ask('close stdin of', async () => await this.remote.relay.endStdin());
  }

  async reopenLog(): Promise<void> {
    await this.ask('reopen the log of', async () => await this.remote.relay.reopenLog());
  }

  async kill(signal: number, { all = false }: { readonly all?: boolean } = {}): Promise<void> {
    await this.ask('kill', async () => await this.remote.client.kill({ ...this.ids, signal, all }));
  }

  async wait(signal?: AbortSignal): Promise<ExitStatus> {
    return await untilAborted(this.#exited, signal);
  }

  async delete(): Promise<ExitStatus> {
    const { status } = this.state();
    if (status === 'running' || status === 'paused')
      throw new StrakeError('FailedPrecondition', `cannot delete ${this.id}: it is ${status}`, { fields: { layer: 'core' } });
    // An exec that never started has no process to kill.
    if (status === 'created' && this.remote.execId !== '') {
      this.#forgotten.abort();
      this.#exit = { code: 128 + sigkill, signal: sigkill, at: new Date(), oomKilled: false };
    } else if (status === 'created') await this.kill(sigkill).catch(() => undefined);
    const exit = this.#exit ?? (await this.wait());
    this.#deleting ??= this.remote.onDelete();
    await this.#deleting;
    return exit;
  }

  protected setPaused(paused: boolean): void {
    this.#phase = paused ? 'paused' : 'running';
  }

  protected async ask(verb: string, request: () => Promise<unknown>): Promise<void> {
    this.checkAlive(verb);
    try {
      await request();
    } catch (error) {
      // It has ended, which is about to be told.
      if (!isCode(error, 'NotFound') || this.#phase === 'created') throw error;
      await this.#exited;
      this.checkAlive(verb);
    }
  }

  protected checkAlive(verb: string): void {
    if (this.#exit !== undefined) throw new StrakeError('NotFound', `cannot ${verb} ${this.id}: process already finished`, { fields: { layer: 'core' } });
  }

  async #release(): Promise<void> {
    const { pid } = await this.remote.client.start(this.ids);
    this.#pid = pid;
    if (this.#phase === 'created') this.#phase = 'running';
  }

  async #watch(): Promise<ExitStatus> {
    const exit = await this.#exitStatus();
    await this.#starting?.catch(() => undefined);
    await this.remote.relay.finish(drainMs);
    this.#exit = { ...exit, oomKilled: this.remote.wasOomKilled() };
    this.remote.onExit();
    return this.#exit;
  }

  /** A containerd that goes down and comes up again does not end a process. */
  async #exitStatus(): Promise<ExitStatus> {
    for (;;) {
      try {
        const { exitStatus, exitedAt } = await this.remote.client.wait(this.ids, { signal: this.#forgotten.signal });
        return exitOf({ code: exitStatus, at: dateOf(exitedAt) });
      } catch (error) {
        this.#forgotten.signal.throwIfAborted();
        if (isCode(error, 'NotFound')) return exitOf(this.remote.toldExit() ?? { code: unknownExitCode, at: new Date() });
        await pause(retryMs, undefined, { ref: false });
      }
    }
  }
}

function exitOf({ code, at }: ToldExit): ExitStatus {
  return { code, signal: code > 128 && code !== unknownExitCode ? code - 128 : 0, at, oomKilled: false };
}
