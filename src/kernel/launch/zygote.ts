import { type ChildProcess, spawn } from 'node:child_process';
import { StrakeError } from '../../base/index.ts';
import type { Op } from '../program/index.ts';
import { type LaunchOptions, TaskConnection } from './connection.ts';
import { FileSession } from './file-session.ts';
import { FrameSocket } from './frame-socket.ts';
import type { Report } from './records.ts';

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
}

const startTimeoutMs = 5_000;

/** One long-lived `strake-init zygote`, which forks a process for each program. Started at first use, and again when it has died. */
export class ZygoteLauncher implements Launcher, AsyncDisposable {
  private readonly options: ZygoteOptions;
  private child: Promise<ChildProcess> | undefined;

  constructor(options: ZygoteOptions) {
    this.options = options;
  }

  async run(operations: readonly Op[], options: LaunchOptions = {}): Promise<Report> {
    const { connection, report } = await this.launch(operations, options);
    connection.close();
    return report;
  }

  async launch(operations: readonly Op[], options: LaunchOptions = {}): Promise<Launched> {
    const connection = new TaskConnection(await this.connect());
    try {
      return { connection, report: await connection.launch(operations, options) };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async fileSession(operations: readonly Op[], options: LaunchOptions = {}): Promise<FileSession> {
    const session = new FileSession(await this.connect());
    await session.begin(operations, options);
    return session;
  }

  /** Starts the zygote now, so that the first launch does not wait for it. */
  async start(): Promise<void> {
    this.child ??= this.spawnZygote();
    try {
      await this.child;
    } catch (error) {
      this.child = undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = await this.child?.catch(() => undefined);
    this.child = undefined;
    child?.stdin?.end();
  }

  private async connect(): Promise<FrameSocket> {
    await this.start();
    try {
      return await FrameSocket.connect(this.options.socketPath);
    } catch {
      // It was killed: a new one takes its place, once.
      this.child = undefined;
      await this.start();
      return await FrameSocket.connect(this.options.socketPath);
    }
  }

  private async spawnZygote(): Promise<ChildProcess> {
    const { initPath, socketPath } = this.options;
    const child = spawn(initPath, ['zygote', socketPath], { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', env: {}, detached: true });
    const ready = Promise.withResolvers<void>();
    const fail = (why: string) =>
      ready.reject(
        new StrakeError('Unavailable', `${initPath} did not start: ${why}`, {
          fields: { layer: 'kernel', remedy: 'build it with `npm run build`; it stands beside the strake executable' },
        }),
      );
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => {
      fail(`it ended with ${signal ?? `status ${code}`}`);
      this.child = undefined;
    });
    child.stdout.once('data', () => ready.resolve());
    const timer = setTimeout(() => fail(`it was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
    child.stdout.destroy();
    child.unref();
    (child.stdin as unknown as { unref?: () => void }).unref?.();
    return child;
  }
}
