import { StrakeError } from '../../base/index.ts';
import type { Channel } from './channel.ts';

/** Messages of one stream that may wait for their reader; then the whole connection waits, since ttrpc has no flow control of a stream. */
const maxWaiting = 64;
const maxWaitingBytes = 1 << 20;
/** After that the stream that is not read is given up, so that the others go on. */
const stalledMs = 1_000;

/** The messages of one stream, between the connection and who reads them. `Item`s have a size in bytes. */
export class Inbox implements AsyncIterable<Uint8Array> {
  private readonly channel: Channel;
  private readonly waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private wake: (() => void) | undefined;
  private end: { readonly error: unknown } | undefined;
  private stalled: NodeJS.Timeout | undefined;

  constructor(channel: Channel) {
    this.channel = channel;
  }

  /** False once it was closed. */
  push(message: Uint8Array): boolean {
    if (this.end !== undefined) return false;
    this.waiting.push(message);
    this.waitingBytes += message.length;
    if (this.isFull && this.stalled === undefined) {
      this.channel.hold(this);
      this.stalled = setTimeout(() => this.giveUp(), stalledMs);
    }
    this.wake?.();
    return true;
  }

  /** What waits is still read; then the reader sees the end, or `error`. */
  close(error?: unknown): void {
    this.end ??= { error };
    this.wake?.();
  }

  /** What waits is dropped. */
  discard(error?: unknown): void {
    this.waiting.length = 0;
    this.waitingBytes = 0;
    this.unstall();
    this.close(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const message = this.waiting.shift();
        if (message !== undefined) {
          this.waitingBytes -= message.length;
          if (!this.isFull) this.unstall();
          yield message;
          continue;
        }
        if (this.end !== undefined) {
          if (this.end.error !== undefined) throw this.end.error;
          return;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        this.wake = resolve;
        await promise;
      }
    } finally {
      this.discard();
    }
  }

  private get isFull(): boolean {
    return this.waiting.length >= maxWaiting || this.waitingBytes >= maxWaitingBytes;
  }

  private unstall(): void {
    clearTimeout(this.stalled);
    this.stalled = undefined;
    this.channel.release(this);
  }

  private giveUp(): void {
    this.discard(new StrakeError('ResourceExhausted', `a stream was not read for ${stalledMs} ms`, { fields: { layer: 'ttrpc' } }));
  }
}
