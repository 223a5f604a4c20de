import { codeOfErrno, isCode, StrakeError } from '../../base/index.ts';
import { encodeProgram, type Op } from '../program/index.ts';
import { deadlines, within } from './deadline.ts';
import { errnoName, errnoText } from './errno.ts';
import { programFailure } from './failure.ts';
import { FrameSocket } from './frame-socket.ts';
import { type Frame, frameTypes } from './frames.ts';
import { decodeExit, decodeReply, decodeReport, type ExitRecord, type Report } from './records.ts';

export interface LaunchOptions {
  readonly trace?: boolean;
  readonly signal?: AbortSignal;
  /** `wait_start` goes on at once; `start` waits for what became of it. */
  readonly start?: boolean;
  /** For the first report; the default suits programs that remove cgroups. */
  readonly timeoutMs?: number;
}

type Frames = Pick<FrameSocket, 'onFrame' | 'onEnd' | 'send' | 'unref' | 'close'>;

/**
 * A connection to a monitor: the control connection on which its program was sent, or a later one to its `monitor.sock`.
 * `exited` resolves with the exit, and rejects Unavailable when the monitor ends without one.
 */
export class TaskConnection {
  private readonly frames: Frames;
  private readonly reports: PromiseWithResolvers<Report>[] = [];
  private readonly replies: PromiseWithResolvers<void>[] = [];
  /** Of a start that was asked for with the launch. */
  private started: Promise<Report> | undefined;
  private readonly exit = Promise.withResolvers<ExitRecord>();
  readonly exited: Promise<ExitRecord> = this.exit.promise;
  private readonly end = Promise.withResolvers<void>();
  /** The memory of the process's cgroup ran out, and somebody in it is killed. One that came while nobody listened is told to who watches next. */
  onOom: () => void = () => {};
  /** The connection is closed, by the monitor when it has nothing left to do. */
  readonly ended: Promise<void> = this.end.promise;

  constructor(frames: Frames) {
    this.frames = frames;
    // Nobody may be waiting when the monitor goes away.
    this.exited.catch(() => undefined);
    frames.onFrame = (frame) => this.receive(frame);
    frames.onEnd = (error) => this.fail(error);
  }

  static async connect(path: string): Promise<TaskConnection> {
    return new TaskConnection(await FrameSocket.connect(path));
  }

  /** A connection to a monitor that is gone: every request fails, and so does `exited`. */
  static ended(): TaskConnection {
    const frames: Frames = {
      onFrame: () => {},
      onEnd: () => {},
      send: () => Promise.reject(new StrakeError('Unavailable', 'the monitor is gone', { fields: { layer: 'kernel' } })),
      unref: () => {},
      close: () => {},
    };
    const connection = new TaskConnection(frames);
    frames.onEnd();
    return connection;
  }

  /** Sends the program and waits for its first report. A failed operation is thrown. Aborting closes the connection, which ends a program that was not started. */
  async launch(operations: readonly Op[], options: LaunchOptions = {}): Promise<Report> {
    const { signal, timeoutMs = deadlines.launch } = options;
    signal?.throwIfAborted();
    const report = this.expectReport();
    await this.frames.send(frameTypes.program, encodeProgram(operations, { trace: options.trace ?? false }));
    if (options.start === true) this.started = this.askForStart();
    return succeeded(await this.await(report, 'the report of the program', timeoutMs, signal), operations);
  }

  /** Lets `wait_start` go on; resolves when execve has succeeded. `operations`: the program, for the text of an error. */
  async start(operations: readonly Op[] = []): Promise<Report> {
    this.started ??= this.askForStart();
    return succeeded(await this.await(this.started, 'the report of the start', deadlines.start), operations);
  }

  /** Sends a signal by pidfd. NotFound when the process has ended. */
  async kill(signal: number, options: { readonly group?: boolean } = {}): Promise<void> {
    const payload = Buffer.alloc(8);
    payload.writeUInt32LE(signal, 0);
    payload.writeUInt32LE(options.group ? 1 : 0, 4);
    await this.request(frameTypes.signal, payload);
  }

  async resize(rows: number, cols: number): Promise<void> {
    const payload = Buffer.alloc(8);
    payload.writeUInt32LE(rows, 0);
    payload.writeUInt32LE(cols, 4);
    await this.request(frameTypes.resize, payload);
  }

  /** Lets the stdin end that comes out of a FIFO: with the last writer of that. */
  async closeStdin(): Promise<void> {
    await this.frames.send(frameTypes.stdinEof);
  }

  async reopenLog(): Promise<void> {
    await this.request(frameTypes.reopenLog);
  }

  /** Asks for the exit on a connection that did not launch: `exited` resolves then. */
  async watch(): Promise<void> {
    await this.frames.send(frameTypes.wait);
  }

  unref(): void {
    this.frames.unref();
  }

  close(): void {
    this.frames.close();
  }

  private askForStart(): Promise<Report> {
    const report = this.expectReport();
    const started = this.frames.send(frameTypes.start).then(async () => await report);
    // Nobody may be waiting when the program fails before.
    started.catch(() => undefined);
    return started;
  }

  private async request(type: number, payload: Uint8Array = new Uint8Array()): Promise<void> {
    const reply = Promise.withResolvers<void>();
    // The send may fail first, and then nobody waits for the reply.
    reply.promise.catch(() => undefined);
    this.replies.push(reply);
    await this.frames.send(type, payload);
    await this.await(reply.promise, 'the reply of the monitor', deadlines.reply);
  }

  /** What comes too late, or is not wanted any more, would be taken for the answer to the next question: the connection ends with it. */
  private async await<T>(answer: Promise<T>, what: string, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    try {
      return await within(answer, { what, timeoutMs, signal });
    } catch (error) {
      if (isCode(error, 'DeadlineExceeded') || signal?.aborted) this.close();
      throw error;
    }
  }

  private expectReport(): Promise<Report> {
    const report = Promise.withResolvers<Report>();
    report.promise.catch(() => undefined);
    this.reports.push(report);
    return report.promise;
  }

  private receive(frame: Frame): void {
    if (frame.type === frameTypes.report) this.reports.shift()?.resolve(decodeReport(frame.payload));
    else if (frame.type === frameTypes.exit) this.exit.resolve(decodeExit(frame.payload));
    else if (frame.type === frameTypes.oom) this.onOom();
    else if (frame.type === frameTypes.reply) {
      const { errno, detail } = decodeReply(frame.payload);
      if (errno === 0) this.replies.shift()?.resolve();
      else this.replies.shift()?.reject(requestFailure(errno, detail));
    }
  }

  private fail(cause?: Error): void {
    const error = new StrakeError('Unavailable', `the connection to the monitor ended${cause ? `: ${cause.message}` : ''}`, {
      cause,
      fields: { layer: 'kernel' },
    });
    this.end.resolve();
    for (const waiting of [...this.reports.splice(0), ...this.replies.splice(0), this.exit]) waiting.reject(error);
  }
}

function succeeded(report: Report, operations: readonly Op[]): Report {
  if (report.failedIndex === undefined) return report;
  throw programFailure(report, operations);
}

function requestFailure(errno: number, detail: string): StrakeError {
  const name = errnoName(errno);
  return new StrakeError(codeOfErrno(name), [detail, errnoText(errno)].filter((part) => part !== '').join(': '), { fields: { layer: 'kernel', errno: name } });
}
