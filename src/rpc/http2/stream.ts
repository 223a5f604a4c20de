import { lostError, resetError } from './errors.ts';
import { defaultWindowBytes, maxWindowBytes } from './frames.ts';
import type { Header } from './headers.ts';

/** What a peer may send of one stream before it has been read: the bound of what a stream holds in memory. */
export const streamWindowBytes = 256 * 1024;

/** What a stream asks of its connection. */
export interface StreamOwner {
  sendHeaders(stream: Http2Stream, headers: readonly Header[], endStream: boolean): void;
  /** There is something to send. */
  sendable(stream: Http2Stream): void;
  sendReset(stream: Http2Stream, code: number): void;
  sendCredit(stream: Http2Stream, bytes: number): void;
  /** Both sides are done. */
  ended(stream: Http2Stream): void;
}

/** What a stream has to send next: a frame's worth of bytes, or its end. */
export type Outgoing = { readonly parts: readonly Buffer[]; readonly length: number; readonly end: boolean } | { readonly trailers: readonly Header[] };

interface Waiting {
  readonly atMostBytes: number;
  readonly room: PromiseWithResolvers<void>;
}

/** One exchange, from either side: headers, bytes with back-pressure in both directions, trailers. */
export class Http2Stream {
  readonly id: number;
  /** Aborted when the peer resets the stream or the connection is lost. */
  readonly signal: AbortSignal;
  /** The peer's; behind `body`. */
  trailers: readonly Header[] = [];

  readonly #owner: StreamOwner;
  readonly #abort = new AbortController();
  readonly #headers = Promise.withResolvers<readonly Header[]>();
  hasHeaders = false;
  #failure: Error | undefined;

  readonly #received: Buffer[] = [];
  #arrival: PromiseWithResolvers<void> | undefined;
  #remoteEnded = false;
  #receiveWindow = streamWindowBytes;
  /** Read, and not yet credited to the peer. */
  #consumed = 0;

  /** Not taken yet; the first may be what is left of one. */
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  #waiting: Waiting[] = [];
  #sendWindow: number;
  #trailersToSend: readonly Header[] | undefined;
  #local: 'open' | 'ending' | 'ended' = 'open';

  constructor(owner: StreamOwner, id: number, sendWindow = defaultWindowBytes) {
    this.#owner = owner;
    this.id = id;
    this.#sendWindow = sendWindow;
    this.signal = this.#abort.signal;
    this.#headers.promise.catch(() => undefined);
  }

  /** The peer's headers: on a server there from the start. */
  get headers(): Promise<readonly Header[]> {
    return this.#headers.promise;
  }

  get isEnded(): boolean {
    return this.#failure !== undefined || (this.#local === 'ended' && this.#remoteEnded);
  }

  /** What the peer sends, once: each chunk that is taken lets it send more. Throws what the stream failed with. */
  async *body(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#received.shift();
      if (chunk !== undefined) {
        this.#credit(chunk.length);
        yield chunk;
      } else if (this.#remoteEnded) return;
      else if (this.#failure !== undefined) throw this.#failure;
      else {
        this.#arrival = Promise.withResolvers();
        await this.#arrival.promise;
      }
    }
  }

  respond(headers: readonly Header[]): void {
    if (this.#local === 'open' && this.#failure === undefined) this.#owner.sendHeaders(this, headers, false);
  }

  /** Sends bytes behind those that wait already. Whoever sends much asks for `room` before the next. */
  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#failure !== undefined) return;
    this.#queue.push(bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#queuedBytes += bytes.length;
    this.#owner.sendable(this);
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Resolves when no more than so many bytes wait; the others are on their way. Throws what the stream failed with. */
  async room(atMostBytes: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#queuedBytes <= atMostBytes) return;
    const room = Promise.withResolvers<void>();
    this.#waiting.push({ atMostBytes, room });
    await room.promise;
  }

  /** Ends this side, behind what was written. */
  end(trailers: readonly Header[] = []): void {
    if (this.#local !== 'open' || this.#failure !== undefined) return;
    this.#local = 'ending';
    this.#trailersToSend = trailers;
    this.#owner.sendable(this);
  }

  /** Gives the stream up, unless it has ended. */
  reset(code: number, reason?: Error): void {
    if (this.isEnded) return;
    this.#owner.sendReset(this, code);
    this.fail(reason ?? resetError(code));
  }

  /** Of the connection: the peer's headers. */
  receiveHeaders(headers: readonly Header[], endStream: boolean): void {
    this.hasHeaders = true;
    this.#headers.resolve(headers);
    if (endStream) this.receiveEnd();
  }

  /** Of the connection: false when the peer sends more than it may. */
  receiveData(bytes: Buffer, flowBytes: number): boolean {
    if (flowBytes > this.#receiveWindow) return false;
    this.#receiveWindow -= flowBytes;
    // Padding is never read.
    this.#credit(flowBytes - bytes.length);
    if (bytes.length > 0) {
      this.#received.push(bytes);
      this.#arrived();
    }
    return true;
  }

  receiveEnd(trailers: readonly Header[] = []): void {
    this.trailers = trailers;
    this.#remoteEnded = true;
    this.#headers.reject(lostError('the peer ended the stream without headers'));
    this.#arrived();
    if (this.isEnded) this.#owner.ended(this);
  }

  get isRemoteEnded(): boolean {
    return this.#remoteEnded;
  }

  /** Of the connection: the peer's RST_STREAM. */
  receiveReset(code: number): void {
    this.fail(resetError(code));
  }

  /** Of the connection: false when the window grows beyond what there is. */
  growWindow(bytes: number): boolean {
    this.#sendWindow += bytes;
    if (this.#queuedBytes > 0) this.#owner.sendable(this);
    return this.#sendWindow <= maxWindowBytes;
  }

  /** Of the connection: the next frame's worth, up to `limit` bytes; undefined when there is nothing, or the peer's window is used up. */
  take(limit: number): Outgoing | undefined {
    if (this.#queuedBytes === 0) return this.#local === 'ending' ? this.#takeEnd() : undefined;
    const length = Math.min(limit, this.#sendWindow, this.#queuedBytes);
    if (length <= 0) return undefined;
    this.#sendWindow -= length;
    const parts = this.#takeParts(length);
    this.#giveRoom();
    return { parts, length, end: this.#queuedBytes === 0 && this.#local === 'ending' && this.#trailersToSend?.length === 0 && this.#markEnded() };
  }

  #takeParts(length: number): readonly Buffer[] {
    const parts: Buffer[] = [];
    let left = length;
    while (left > 0) {
      const first = this.#queue[0] as Buffer;
      if (first.length <= left) {
        parts.push(first);
        this.#queue.shift();
        left -= first.length;
      } else {
        parts.push(first.subarray(0, left));
        this.#queue[0] = first.subarray(left);
        left = 0;
      }
    }
    this.#queuedBytes -= length;
    return parts;
  }

  #giveRoom(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ atMostBytes }) => this.#queuedBytes > atMostBytes);
    for (const { atMostBytes, room } of waiting) if (this.#queuedBytes <= atMostBytes) room.resolve();
  }

  /** Ends both sides: by a reset, or with the connection. What the peer has said to its end stays to be read. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    for (const { room } of this.#waiting.splice(0)) room.reject(reason);
    this.#headers.reject(reason);
    this.#arrived();
    this.#abort.abort(reason);
    this.#owner.ended(this);
  }

  #takeEnd(): Outgoing {
    const trailers = this.#trailersToSend ?? [];
    this.#markEnded();
    return trailers.length > 0 ? { trailers } : { parts: [], length: 0, end: true };
  }

  #markEnded(): true {
    this.#local = 'ended';
    return true;
  }

  #arrived(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  #credit(bytes: number): void {
    this.#consumed += bytes;
    if (this.#consumed < streamWindowBytes / 2 || this.#remoteEnded || this.#failure !== undefined) return;
    this.#receiveWindow += this.#consumed;
    this.#owner.sendCredit(this, this.#consumed);
    this.#consumed = 0;
  }
}
