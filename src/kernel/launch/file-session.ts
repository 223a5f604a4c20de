import { codeOfErrno, pathText, StrakeError } from '../../base/index.ts';
import { encodeProgram, type Op } from '../program/index.ts';
import type { LaunchOptions } from './connection.ts';
import { deadlines, within } from './deadline.ts';
import { errnoName, errnoText } from './errno.ts';
import { programFailure } from './failure.ts';
import type { FrameSocket } from './frame-socket.ts';
import { type Frame, frameTypes } from './frames.ts';
import { OperationFrames } from './operation-frames.ts';
import { decodeReply, decodeReport, type Report } from './records.ts';
import { decodeWalk, type WalkItem } from './walk-records.ts';

export type FileOp = Extract<Op, { readonly side: 'file' }>;

export interface FileStat {
  /** With the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: bigint;
  readonly mtimeNs: bigint;
  readonly rdev: bigint;
  readonly inode: bigint;
  readonly links: bigint;
  /** Of a symbolic link that was not followed. */
  readonly linkTarget: string;
}

export interface DirectoryEntry {
  readonly name: string;
  /** DT_* of getdents64(2): 4 directory, 8 file, 10 link. */
  readonly type: number;
}

/** So that many pieces fit into a frame. */
const maxDataBytes = 256 << 10;
const noLimit = 2n ** 63n - 1n;

/** Answers that wait for their reader: beyond so many frames strake-init waits too. */
const maxWaitingFrames = 4;

interface Question {
  readonly onData: (frame: Buffer) => void;
  readonly done: PromiseWithResolvers<void>;
}

export interface WalkOptions {
  /** The content of regular files follows their entries. */
  readonly content?: boolean;
  /** Go on below mount points, else they are empty directories. */
  readonly crossMounts?: boolean;
}

/**
 * Operations on a file tree, run by a process that is chrooted into it. Writes are sent in batches and answered only when one fails: the failure is
 * thrown by the next call. `sync` says that everything before it was done.
 */
export class FileSession implements AsyncDisposable {
  private readonly frames: FrameSocket;
  private readonly questions: Question[] = [];
  private readonly operations: OperationFrames;
  /** The writes before, one after the other. */
  private written: Promise<unknown> = Promise.resolve();
  private failure: Error | undefined;
  private begun: PromiseWithResolvers<Report> | undefined;

  constructor(frames: FrameSocket) {
    this.frames = frames;
    this.operations = new OperationFrames(frames);
    frames.onFrame = (frame) => this.receive(frame);
    frames.onEnd = () => this.fail(new StrakeError('Unavailable', 'the file session ended', { fields: { layer: 'kernel' } }));
  }

  /** Sends the program that ends in `files`. Aborting, then or later, ends the session. */
  async begin(operations: readonly Op[], options: LaunchOptions = {}): Promise<void> {
    const { signal, timeoutMs = deadlines.launch } = options;
    this.begun = Promise.withResolvers<Report>();
    this.begun.promise.catch(() => undefined);
    try {
      signal?.throwIfAborted();
      await this.frames.send(frameTypes.program, encodeProgram(operations));
      const report = await within(this.begun.promise, { what: 'the report of the file session', timeoutMs, signal });
      if (report.failedIndex !== undefined) throw programFailure(report, operations);
    } catch (error) {
      this.close();
      throw error;
    }
    signal?.addEventListener('abort', () => this.abort(signal), { once: true });
  }

  /** Queues write operations; full frames are sent. Resolves when what the operations hold may change. */
  async write(operations: readonly FileOp[]): Promise<void> {
    await this.inOrder(async () => await this.operations.add(inPieces(operations)));
  }

  /** Applies directory times, flushes the filesystem when `durable`, and confirms everything before. */
  async sync(durable: boolean): Promise<void> {
    await this.ask({ op: 'file_sync', side: 'file', sync: durable ? 1 : 0 });
  }

  /** The content of a regular file, links followed inside the root. OutOfRange above `limitBytes`, NotFound when missing, InvalidArgument for another kind of file. */
  async read(path: string, limitBytes: number): Promise<Buffer> {
    return await this.ask({ op: 'file_read', side: 'file', path, limit: limitBytes });
  }

  async stat(path: string, options: { readonly follow: boolean } = { follow: false }): Promise<FileStat> {
    const data = await this.ask({ op: 'file_stat', side: 'file', path, follow: options.follow ? 1 : 0 });
    return {
      mode: data.readUInt32LE(0),
      uid: data.readUInt32LE(4),
      gid: data.readUInt32LE(8),
      sizeBytes: data.readBigUInt64LE(12),
      mtimeNs: data.readBigInt64LE(20),
      rdev: data.readBigUInt64LE(28),
      inode: data.readBigUInt64LE(36),
      links: data.readBigUInt64LE(44),
      linkTarget: pathText(data, 52),
    };
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    const data = await this.ask({ op: 'file_list', side: 'file', path });
    const entries: DirectoryEntry[] = [];
    for (let offset = 0; offset < data.length; ) {
      const length = data.readUInt16LE(offset + 1);
      entries.push({ type: data[offset] ?? 0, name: pathText(data, offset + 3, offset + 3 + length) });
      offset += 3 + length;
    }
    return entries;
  }

  /**
   * What is at `path` and all below it, parents first, each directory's names in byte order. Whoever walks asks for nothing else meanwhile, and writes
   * nothing. NotFound when it is missing; what goes while it is read is left out.
   */
  async *walk(path: string, { content = false, crossMounts = false }: WalkOptions = {}): AsyncGenerator<readonly WalkItem[]> {
    for await (const frame of this.stream({ op: 'file_walk', side: 'file', path, flags: (content ? 1 : 0) | (crossMounts ? 2 : 0) })) yield decodeWalk(frame);
  }

  /** The content of a regular file, as `read`, in pieces and however long. */
  async *readStream(path: string): AsyncGenerator<Buffer> {
    yield* this.stream({ op: 'file_read', side: 'file', path, limit: noLimit });
  }

  /**
   * The directory `path`, links followed inside the root, is the root of what follows. `keepKinds`: a directory is not replaced by anything else
   * (errno EISDIR), nor anything else by a directory (ENOTDIR). FailedPrecondition with directory times that are not set yet: `sync` first.
   */
  async enter(path: string, { keepKinds = false }: { readonly keepKinds?: boolean } = {}): Promise<void> {
    await this.ask({ op: 'file_enter', side: 'file', path, flags: keepKinds ? 1 : 0 });
  }

  close(): void {
    this.frames.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private async ask(operation: FileOp): Promise<Buffer> {
    const data: Buffer[] = [];
    const { done } = await this.put(operation, (frame) => data.push(frame));
    await within(done, { what: `the answer to ${operation.op}`, timeoutMs: deadlines.fileSync });
    return Buffer.concat(data);
  }

  /** The frames of an answer as they come; strake-init waits for a reader that is slow. */
  private async *stream(operation: FileOp): AsyncGenerator<Buffer> {
    const waiting: Buffer[] = [];
    let ended = false;
    let left = false;
    let news = Promise.withResolvers<void>();
    const { done } = await this.put(operation, (frame) => {
      if (left) return;
      waiting.push(frame);
      if (waiting.length >= maxWaitingFrames) this.frames.pause();
      news.resolve();
    });
    const end = () => {
      ended = true;
      news.resolve();
    };
    done.then(end, end);
    try {
      for (;;) {
        await within(news.promise, { what: `more of ${operation.op}`, timeoutMs: deadlines.fileSync });
        news = Promise.withResolvers<void>();
        if (ended) news.resolve();
        for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
          if (waiting.length < maxWaitingFrames) this.frames.resume();
          yield frame;
        }
        if (ended && waiting.length === 0) break;
      }
      await done;
    } finally {
      // The rest of an answer that nobody reads to its end still comes, before that of the next question.
      left = true;
      this.frames.resume();
    }
  }

  /** Sends a question; `done` settles with its REPLY. */
  private async put(operation: FileOp, onData: (frame: Buffer) => void): Promise<{ readonly done: Promise<void> }> {
    this.throwFailure();
    const question: Question = { onData, done: Promise.withResolvers<void>() };
    question.done.promise.catch(() => undefined);
    this.questions.push(question);
    await this.inOrder(async () => {
      await this.operations.add([operation]);
      this.operations.flush();
    });
    return { done: question.done.promise };
  }

  private async inOrder(step: () => Promise<void>): Promise<void> {
    const done = this.written.then(async () => {
      this.throwFailure();
      await step();
    });
    this.written = done.catch(() => undefined);
    await done;
  }

  private receive(frame: Frame): void {
    if (frame.type === frameTypes.report) this.begun?.resolve(decodeReport(frame.payload));
    else if (frame.type === frameTypes.data) this.questions[0]?.onData(Buffer.from(frame.payload));
    else if (frame.type === frameTypes.reply) this.answer(decodeReply(frame.payload));
  }

  private answer({ errno, detail }: { readonly errno: number; readonly detail: string }): void {
    const question = this.questions[0];
    if (errno === 0) {
      this.questions.shift();
      question?.done.resolve();
      return;
    }
    const name = errnoName(errno);
    const code = name === 'EFBIG' ? 'OutOfRange' : codeOfErrno(name);
    const path = /^\w+: (.*)$/s.exec(detail)?.[1];
    const error = new StrakeError(code, [detail, errnoText(errno)].filter((part) => part !== '').join(': '), {
      fields: { layer: 'kernel', errno: name, ...(path === undefined ? {} : { path }) },
    });
    // A question that fails is its own; anything else was a write, after which the tree is not what was asked for.
    if (question && isQuestion(detail)) {
      this.questions.shift();
      question.done.reject(error);
    } else this.fail(error);
  }

  private abort(signal: AbortSignal): void {
    this.fail(signal.reason instanceof Error ? signal.reason : new StrakeError('Canceled', 'the file session was canceled', { fields: { layer: 'kernel' } }));
    this.close();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.begun?.reject(this.failure);
    for (const question of this.questions.splice(0)) question.done.reject(this.failure);
  }

  private throwFailure(): void {
    if (this.failure) throw this.failure;
  }
}

/** Data so that no frame is too long. */
function* inPieces(operations: readonly FileOp[]): Generator<FileOp> {
  for (const op of operations) {
    if (op.op !== 'file_data' || op.data.length <= maxDataBytes) {
      yield op;
      continue;
    }
    for (let start = 0; start < op.data.length; start += maxDataBytes) yield { ...op, data: op.data.subarray(start, start + maxDataBytes) };
  }
}

/** strake-init begins the detail of a failure with the operation's name. */
function isQuestion(detail: string): boolean {
  return /^file_(read|stat|list|walk|sync|enter)\b/.test(detail);
}
