import type { Duplex } from 'node:stream';
import { StrakeError } from '../../base/index.ts';
import { encodeFrame, type Frame, FrameParser, type OversizedFrame } from './frames.ts';

type Sent = Pick<Frame, 'streamId' | 'type' | 'flags'> & { readonly payload: Uint8Array };

/** Frames over one connection. Each goes to `onFrame`; the end, once, to `onEnd`. The owner says by holds when it takes no more. */
export class Channel {
  private readonly socket: Duplex;
  private readonly parser = new FrameParser();
  private readonly holds = new Set<object>();
  private drain: PromiseWithResolvers<void> | undefined;
  private ended = false;
  onFrame: (frame: Frame | OversizedFrame) => void = () => {};
  onEnd: (error?: Error) => void = () => {};

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('drain', () => this.drained());
    socket.on('error', (error) => this.finish(error));
    socket.on('end', () => this.finish());
    socket.on('close', () => this.finish());
  }

  get isOpen(): boolean {
    return !this.ended;
  }

  /** Queues a frame. False: the peer is slow; wait for `whenDrained` before the next one. Unavailable once the connection has ended. */
  send(frame: Sent): boolean {
    const bytes = encodeFrame(frame);
    if (this.ended) throw connectionClosed();
    return this.socket.write(bytes) || this.socket.destroyed;
  }

  /** Resolves when the queue is empty, or the connection at its end. */
  whenDrained(): Promise<void> {
    if (this.ended || !this.socket.writableNeedDrain) return Promise.resolve();
    this.drain ??= Promise.withResolvers<void>();
    return this.drain.promise;
  }

  /** Nothing is read until each holder has released its own. */
  hold(holder: object): void {
    this.holds.add(holder);
    this.socket.pause();
  }

  release(holder: object): void {
    if (this.holds.delete(holder) && this.holds.size === 0) this.socket.resume();
  }

  /** What was sent still goes out. */
  end(): void {
    this.socket.end();
    this.finish();
  }

  destroy(): void {
    this.socket.destroy();
    this.finish();
  }

  private receive(chunk: Buffer): void {
    for (const frame of this.parser.push(chunk)) {
      if (this.ended) return;
      this.onFrame(frame);
    }
  }

  private drained(): void {
    this.drain?.resolve();
    this.drain = undefined;
  }

  private finish(error?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.drained();
    this.onEnd(error);
  }
}

export function connectionClosed(cause?: unknown): StrakeError {
  return new StrakeError('Unavailable', 'the ttrpc connection is closed', { cause, fields: { layer: 'ttrpc' } });
}
