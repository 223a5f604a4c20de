import { StrakeError } from '../../base/index.ts';
import type { Op } from '../program/index.ts';
import type { LaunchOptions, TaskConnection } from './connection.ts';
import type { FileSession } from './file-session.ts';
import { FrameSocket } from './frame-socket.ts';
import type { PortRelay } from './port-relay.ts';
import type { Report } from './records.ts';
import { fileSessionOver, launchOver, portRelayOver } from './served.ts';
import { startZygote, type Zygote } from './zygote-process.ts';

export interface ZygoteOptions {
  /** The strake-init executable. */
  readonly initPath: string;
  /** Where the zygote listens; its directory exists and is private (0700). */
  readonly socketPath: string;
}

export interface Launched {
  readonly connection: TaskConnection;
  readonly report: Report;
}

/** What runs programs: the zygote in the daemon. */
export interface Launcher {
  /** Runs a program of host operations to its end. */
  run(operations: readonly Op[], options?: LaunchOptions): Promise<Report>;
  /** Runs a program up to its `wait_start`, or to its end when it has none, and keeps the control connection. */
  launch(operations: readonly Op[], options?: LaunchOptions): Promise<Launched>;
  /** Runs a program that ends in `files`. */
  fileSession(operations: readonly Op[], options?: LaunchOptions): Promise<FileSession>;
  /** Runs a program that ends in `relay_port`. */
  portRelay(operations: readonly Op[], options?: LaunchOptions): Promise<PortRelay>;
}

const endHeardTimeoutMs = 1_000;

/** One long-lived `strake-init zygote`, which forks a process for each program. Started at first use, and again when it has died. */
export class ZygoteLauncher implements Launcher, AsyncDisposable {
  private readonly options: ZygoteOptions;
  private zygote: Promise<Zygote> | undefined;

  constructor(options: ZygoteOptions) {
    this.options = options;
  }

  async run(operations: readonly Op[], options: LaunchOptions = {}): Promise<Report> {
    const { connection, report } = await this.launch(operations, options);
    connection.close();
    return report;
  }

  async launch(operations: readonly Op[], options: LaunchOptions = {}): Promise<Launched> {
    return await this.served(async (frames) => await launchOver(frames, operations, options));
  }

  async fileSession(operations: readonly Op[], options: LaunchOptions = {}): Promise<FileSession> {
    return await this.served(async (frames) => await fileSessionOver(frames, operations, options));
  }

  async portRelay(operations: readonly Op[], options: LaunchOptions = {}): Promise<PortRelay> {
    return await this.served(async (frames) => await portRelayOver(frames, operations, options));
  }

  /** Starts the zygote now, so that the first launch does not wait for it. */
  async start(): Promise<void> {
    await this.started();
  }

  /** Ends the zygote; what it launched lives on. */
  async [Symbol.asyncDispose](): Promise<void> {
    const zygote = await this.zygote?.catch(() => undefined);
    this.zygote = undefined;
    zygote?.stdin.end();
    await zygote?.ended;
  }

  private async started(): Promise<Zygote> {
    if (this.zygote === undefined) {
      const starting = startZygote(this.options);
      this.zygote = starting;
      const forget = () => this.forget(starting);
      // Once a zygote, not once a launch: its end keeps all who wait for it.
      void starting.then((zygote) => void zygote.ended.then(forget), forget);
    }
    return await this.zygote;
  }

  /** Many may find at once that the same zygote is dead; its successor stays. */
  private forget(zygote: Promise<Zygote>): void {
    if (this.zygote === zygote) this.zygote = undefined;
  }

  /** A zygote that was killed resets the connections that it had not accepted yet: nothing of them was run, and its successor serves them. */
  private async served<Result>(use: (frames: FrameSocket) => Promise<Result>): Promise<Result> {
    const frames = await this.connect();
    const { zygote } = this;
    try {
      return await use(frames);
    } catch (error) {
      if (!isReset(error) || (zygote !== undefined && !(await hasEnded(zygote)))) throw error;
      return await use(await this.connect());
    }
  }

  private async connect(): Promise<FrameSocket> {
    const zygote = this.zygote;
    await this.started();
    try {
      return await FrameSocket.connect(this.options.socketPath);
    } catch (error) {
      // It was killed, and its end was not heard of yet: a new one takes its place, once.
      if (zygote === undefined) throw error;
      const old = await zygote.catch(() => undefined);
      old?.stdin.end();
      this.forget(zygote);
      await this.started();
      return await FrameSocket.connect(this.options.socketPath);
    }
  }
}

/** A child of the zygote that died reads as the end of its connection, not as a reset. */
function isReset(error: unknown): boolean {
  const code = error instanceof StrakeError ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Its end is heard of a moment after the resets that it causes. */
async function hasEnded(zygote: Promise<Zygote>): Promise<boolean> {
  const { ended } = await zygote;
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), endHeardTimeoutMs);
  try {
    return await Promise.race([ended.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
