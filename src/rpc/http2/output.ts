import type { Duplex } from 'node:stream';
import { defaultFrameBytes, defaultWindowBytes, Flag, FrameType, frameHeader, maxWindowBytes } from './frames.ts';
import type { Header } from './headers.ts';
import { encodeHeaders } from './hpack/encoder.ts';
import type { Http2Stream, Outgoing } from './stream.ts';

/** What goes to the socket at once: enough to cost few calls, and little enough that no stream waits long for another. */
const batchBytes = 64 * 1024;
/** Answers to pings and settings that a peer lets pile up without reading. */
const maxBacklogBytes = 1024 * 1024;

export interface OutputOptions {
  readonly socket: Duplex;
  /** Called when a stream's last frame has been handed over. */
  readonly onEndSent: (stream: Http2Stream) => void;
  /** Called when all has been sent, after `end`. */
  readonly onEnded: () => void;
  /** Called when the peer lets answers pile up. */
  readonly onBacklog: () => void;
}

/** All that a connection sends: control frames at once, the streams' data in turns, as windows and the socket allow. */
export class Output {
  readonly #options: OutputOptions;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Streams that have something to send, in the order of their turns. */
  readonly #sendable = new Set<Http2Stream>();
  /** The socket takes no more for now. */
  #blocked = false;
  #scheduled = false;
  #closed = false;
  #endBehind = false;
  #window = defaultWindowBytes;

  constructor(options: OutputOptions) {
    this.#options = options;
    options.socket.on('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
  }

  frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#closed) return;
    this.#push(frameHeader(type, flags, streamId, payload.length));
    this.#push(payload);
    if (this.#blocked && this.#pendingBytes > maxBacklogBytes) this.#options.onBacklog();
    else this.#schedule();
  }

  headers(streamId: number, headers: readonly Header[], endStream: boolean): void {
    const block = encodeHeaders(headers);
    for (let at = 0; at === 0 || at < block.length; at += defaultFrameBytes) {
      const isLast = at + defaultFrameBytes >= block.length;
      const flags = (isLast ? Flag.endHeaders : 0) | (at === 0 && endStream ? Flag.endStream : 0);
      this.frame(at === 0 ? FrameType.headers : FrameType.continuation, flags, streamId, block.subarray(at, at + defaultFrameBytes));
    }
  }

  sendable(stream: Http2Stream): void {
    this.#sendable.add(stream);
    this.#schedule();
  }

  forget(stream: Http2Stream): void {
    this.#sendable.delete(stream);
  }

  /** The peer takes more of all streams together. False when the window grows beyond what there is. */
  growWindow(bytes: number): boolean {
    this.#window += bytes;
    this.#schedule();
    return this.#window <= maxWindowBytes;
  }

  /** Ends the socket behind what is pending. */
  end(): void {
    this.#endBehind = true;
    this.#schedule();
  }

  /** What is pending goes out without waiting: nothing comes behind it. */
  flushLast(): void {
    this.#sendable.clear();
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#pending = [];
    this.#sendable.clear();
  }

  #push(bytes: Buffer): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
  }

  /** Not at once: what comes in the same turn goes out together. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#blocked && !this.#closed) {
      const more = this.#fill();
      if (this.#pendingBytes === 0) break;
      const batch = this.#pending.length === 1 ? (this.#pending[0] as Buffer) : Buffer.concat(this.#pending, this.#pendingBytes);
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#blocked = !this.#options.socket.write(batch);
      if (!more) break;
    }
    if (this.#endBehind && this.#pendingBytes === 0 && this.#sendable.size === 0 && !this.#closed) this.#options.socket.end(() => this.#options.onEnded());
  }

  /** Takes frames of the streams, one of each in turn, up to a batch. Whether there may be more. */
  #fill(): boolean {
    for (const stream of this.#sendable) {
      if (this.#pendingBytes >= batchBytes) return true;
      const outgoing = stream.take(Math.min(defaultFrameBytes, this.#window));
      if (outgoing !== undefined) {
        // Its next turn is behind the others'; the loop comes to it.
        this.#sendable.delete(stream);
        this.#sendable.add(stream);
        this.#send(stream, outgoing);
      } else if (this.#window > 0) this.#sendable.delete(stream);
    }
    return false;
  }

  #send(stream: Http2Stream, outgoing: Outgoing): void {
    if ('trailers' in outgoing) this.headers(stream.id, outgoing.trailers, true);
    else {
      this.#window -= outgoing.length;
      this.#push(frameHeader(FrameType.data, outgoing.end ? Flag.endStream : 0, stream.id, outgoing.length));
      for (const part of outgoing.parts) this.#push(part);
    }
    if ('trailers' in outgoing || outgoing.end) {
      this.#sendable.delete(stream);
      this.#options.onEndSent(stream);
    }
  }
}
