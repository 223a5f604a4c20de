import { isCode, StrakeError, untilAborted } from '../../../base/index.ts';
import { type ExitRecord, MonitorAttachment, type Op, type TaskConnection } from '../../../kernel/index.ts';
import type { Attachment, AttachOptions, ExitStatus, Process, ProcessState } from '../tasks.ts';
import { taskFiles } from './paths.ts';

/** What a process needs of its monitor's connection. */
export type MonitorConnection = Pick<TaskConnection, 'start' | 'resize' | 'kill' | 'closeStdin' | 'reopenLog' | 'exited' | 'ended' | 'close' | 'onOom'>;

export interface LocalProcessOptions {
  readonly id: string;
  /** Holds monitor.sock. */
  readonly dir: string;
  readonly pid: number;
  readonly startTime: bigint;
  readonly connection: MonitorConnection;
  /** For the text of an error at start; empty when adopted. */
  readonly operations: readonly Op[];
  readonly started: boolean;
  /** Its start was asked for with its launch, and may be over before `start` waits for it. */
  readonly startsAtOnce?: boolean;
  /** It was restored: its start has nothing to do. */
  readonly runsAlready?: boolean;
  /** The monitor ended without telling how: what became of the process. */
  readonly lost: (process: { readonly pid: number; readonly startTime: bigint; readonly dir: string }) => Promise<ExitStatus>;
  readonly note: unknown;
  /** The words of a failed start. */
  readonly explain: (error: unknown) => unknown;
  /** `failed`: its start did, so it never was. */
  readonly onExit: (exit: ExitStatus, failed: boolean) => void;
  readonly onStarted: (pid: number) => void;
  readonly onOom?: () => void;
  /** Removes what is left of it, once it has ended. */
  readonly onDelete: () => void | Promise<void>;
  /** The end of the connection is waited for before it is deleted: somebody else still reads what it said. */
  readonly awaitMonitor: boolean;
}

const sigkill = 9;

type Phase = 'created' | 'running' | 'paused';

/** A process behind a monitor: the control connection tells its exit. */
export class LocalProcess implements Process {
  readonly id: string;
  protected readonly dir: string;
  /** 0 while it has none: another runtime makes a process of an exec when it is started. */
  protected pid: number;
  protected startTime: bigint;
  private readonly options: LocalProcessOptions;
  private phase: Phase;
  private exit: ExitStatus | undefined;
  private starting: Promise<void> | undefined;
  /** Nobody has waited for the start that was asked for with the launch. */
  private startsAtOnce: boolean;
  private deleting: Promise<void> | undefined;
  private readonly exited: Promise<ExitStatus>;

  constructor(options: LocalProcessOptions) {
    this.options = options;
    this.id = options.id;
    this.dir = options.dir;
    this.pid = options.pid;
    this.startTime = options.startTime;
    this.phase = options.started ? 'running' : 'created';
    this.startsAtOnce = options.startsAtOnce ?? false;
    if (this.startsAtOnce) this.starting = this.release();
    this.starting?.catch(() => undefined);
    if (options.onOom !== undefined) options.connection.onOom = options.onOom;
    this.exited = this.watch();
  }

  get note(): unknown {
    return this.options.note;
  }

  state(): ProcessState {
    return this.exit === undefined ? { status: this.phase, pid: this.pid } : { status: 'stopped', pid: this.pid, exit: this.exit };
  }

  async start(): Promise<void> {
    if (this.startsAtOnce) {
      this.startsAtOnce = false;
      return await this.starting;
    }
    if (this.exit !== undefined || this.phase !== 'created')
      throw new StrakeError('FailedPrecondition', `cannot start ${this.id}: it is ${this.state().status}`, { fields: { layer: 'core' } });
    this.starting ??= this.release();
    await this.starting;
  }

  async attach(options: AttachOptions): Promise<Attachment> {
    return await MonitorAttachment.open(taskFiles.monitor(this.dir), options);
  }

  async resize(rows: number, cols: number): Promise<void> {
    await this.ask('resize', () => this.options.connection.resize(rows, cols));
  }

  async closeStdin(): Promise<void> {
    await this.ask('close stdin of', () => this.options.connection.closeStdin());
  }

  async reopenLog(): Promise<void> {
    await this.ask('reopen the log of', () => this.options.connection.reopenLog());
  }

  async kill(signal: number, options: { readonly all?: boolean } = {}): Promise<void> {
    await this.ask('kill', () => this.options.connection.kill(signal, { group: options.all ?? false }));
  }

  async wait(signal?: AbortSignal): Promise<ExitStatus> {
    return await untilAborted(this.exited, signal);
  }

  async delete(): Promise<ExitStatus> {
    const { status } = this.state();
    if (status === 'running' || status === 'paused')
      throw new StrakeError('FailedPrecondition', `cannot delete ${this.id}: it is ${status}`, { fields: { layer: 'core' } });
    if (status === 'created') await this.endUnstarted();
    const exit = await this.wait();
    if (this.options.awaitMonitor) await this.options.connection.ended;
    this.deleting ??= Promise.resolve(this.options.onDelete());
    await this.deleting;
    return exit;
  }

  protected async endUnstarted(): Promise<void> {
    // Without a process yet there is nothing to kill but the monitor, which has nothing to tell then.
    if (this.pid === 0) this.options.connection.close();
    else await this.kill(sigkill).catch(() => undefined);
  }

  protected setPaused(paused: boolean): void {
    if (this.phase !== 'created') this.phase = paused ? 'paused' : 'running';
  }

  /** The monitor may be on its way out, with the exit told or about to be. */
  protected async ask(verb: string, request: () => Promise<void>): Promise<void> {
    this.checkAlive(verb);
    try {
      await request();
    } catch (error) {
      if (!isCode(error, 'Unavailable')) throw error;
      await this.exited;
      this.checkAlive(verb);
    }
  }

  protected checkAlive(verb: string): void {
    if (this.exit !== undefined) throw new StrakeError('NotFound', `cannot ${verb} ${this.id}: process already finished`, { fields: { layer: 'core' } });
  }

  private async release(): Promise<void> {
    const { connection, operations, onStarted, explain, runsAlready = false } = this.options;
    try {
      if (!runsAlready) {
        const { initPid, initStartTime } = await connection.start(operations);
        this.pid = initPid;
        this.startTime = initStartTime;
      }
    } catch (error) {
      if (!wasReleased(error)) throw explain(error);
    }
    this.phase = 'running';
    onStarted(this.pid);
  }

  private async watch(): Promise<ExitStatus> {
    const { connection, lost, awaitMonitor } = this.options;
    const exit = await connection.exited.then(exitStatus, async () => await lost({ pid: this.pid, startTime: this.startTime, dir: this.dir }));
    // A short life may be over before its start was told: first things first.
    await this.starting?.catch(() => undefined);
    const failed = this.starting !== undefined && this.phase === 'created';
    this.exit = exit;
    if (!awaitMonitor) connection.close();
    this.options.onExit(exit, failed);
    return exit;
  }
}

/** A daemon before this one said START, and died before it could be told whether that succeeded. */
function wasReleased(error: unknown): boolean {
  return error instanceof StrakeError && error.fields.errno === 'EALREADY';
}

function exitStatus({ code, signal, at, oomKills }: ExitRecord): ExitStatus {
  return { code, signal, at, oomKilled: oomKills > 0 };
}
