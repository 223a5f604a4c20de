import { StrakeError } from '../../base/index.ts';
import { deadlines, within } from './deadline.ts';
import { errnoText } from './errno.ts';
import { FrameSocket } from './frame-socket.ts';
import { type Frame, frameTypes } from './frames.ts';
import { decodeExit, decodeReply, type ExitRecord } from './records.ts';

export interface AttachFlags {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Detaching does not close the stdin of a process whose stdin closes with its first client. */
  readonly keepStdin?: boolean;
}

export interface OutputFrame {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Buffer;
}

const maxStdinBytes = 64 << 10;
/** Bytes that may wait for a slow reader before the monitor is held back. */
const highWaterBytes = 1 << 20;

/** A client on the stdio of a monitored process. `output` ends when the process has ended and everything was handed over, or after `close`. */
export class MonitorAttachment {
  private readonly frames: FrameSocket;
  private readonly queue: OutputFrame[] = [];
  private queuedBytes = 0;
  private wake: (() => void) | undefined;
  private done = false;
  private readonly attached = Promise.withResolvers<void>();
  private readonly ending = Promise.withResolvers<ExitRecord | undefined>();
  /** The exit, when the process ended while this client was attached; undefined when the connection ended before. */
  readonly ended: Promise<ExitRecord | undefined> = this.ending.promise;

  private constructor(frames: FrameSocket) {
    this.frames = frames;
    frames.onFrame = (frame) => this.receive(frame);
    frames.onEnd = () => this.finish();
  }

  /** Connects to the `monitor.sock` at `path`; resolves once the monitor counts this client. */
  static async open(path: string, flags: AttachFlags): Promise<MonitorAttachment> {
    const attachment = new MonitorAttachment(await FrameSocket.connect(path));
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE((flags.stdin ? 1 : 0) | (flags.stdout ? 2 : 0) | (flags.stderr ? 4 : 0) | (flags.keepStdin ? 8 : 0));
    try {
      await attachment.frames.send(frameTypes.attach, payload);
      await within(attachment.attached.promise, { what: 'the reply of the monitor', timeoutMs: deadlines.reply });
      return attachment;
    } catch (error) {
      attachment.close();
      throw error;
    }
  }

  readonly output: AsyncIterable<OutputFrame> = { [Symbol.asyncIterator]: () => this.iterate() };

  async writeStdin(data: Uint8Array): Promise<void> {
    for (let start = 0; start < data.length; start += maxStdinBytes) await this.frames.send(frameTypes.stdin, data.subarray(start, start + maxStdinBytes));
  }

  async closeStdin(): Promise<void> {
    await this.frames.send(frameTypes.stdinEof);
  }

  close(): void {
    this.frames.close();
    this.finish();
  }

  private async *iterate(): AsyncGenerator<OutputFrame> {
    for (;;) {
      const frame = this.queue.shift();
      if (frame) {
        this.queuedBytes -= frame.data.length;
        if (this.queuedBytes < highWaterBytes) this.frames.resume();
        yield frame;
        continue;
      }
      if (this.done) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
  }

  private receive(frame: Frame): void {
    if (frame.type === frameTypes.stdout || frame.type === frameTypes.stderr) {
      this.queue.push({ stream: frame.type === frameTypes.stdout ? 'stdout' : 'stderr', data: frame.payload });
      this.queuedBytes += frame.payload.length;
      if (this.queuedBytes >= highWaterBytes) this.frames.pause();
      this.wake?.();
    } else if (frame.type === frameTypes.reply) {
      const { errno, detail } = decodeReply(frame.payload);
      if (errno === 0) this.attached.resolve();
      else this.attached.reject(new StrakeError('FailedPrecondition', `cannot attach: ${detail || errnoText(errno)}`, { fields: { layer: 'kernel' } }));
    } else if (frame.type === frameTypes.exit) {
      this.ending.resolve(decodeExit(frame.payload));
      this.close();
    }
  }

  private finish(): void {
    this.done = true;
    this.wake?.();
    this.ending.resolve(undefined);
    this.attached.reject(new StrakeError('Unavailable', 'the monitor ended before it answered', { fields: { layer: 'kernel' } }));
    this.attached.promise.catch(() => undefined);
  }
}
