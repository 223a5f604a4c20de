import type { Duplex } from 'node:stream';
import { Http2Connection } from './connection.ts';
import { ConnectionError, goingAwayError, Http2Code, lostError } from './errors.ts';
import { clientPreface, Setting } from './frames.ts';
import type { Header } from './headers.ts';
import type { Http2Stream } from './stream.ts';

/** The last id that there is; then a new connection is due. */
const maxStreamId = 0x7fff_ffff;

export class Http2ClientConnection extends Http2Connection {
  #nextStreamId = 1;
  #leaving = false;
  readonly #waiting: (() => void)[] = [];

  constructor(socket: Duplex, onClose: () => void) {
    super({
      socket,
      onClose: () => {
        this.#wakeAll();
        onClose();
      },
    });
    socket.write(clientPreface);
    this.sendFirstSettings([[Setting.enablePush, 0]]);
  }

  /** Whether a new request may go here. */
  get isOpen(): boolean {
    return !this.#leaving && !this.isClosed;
  }

  /** Opens a stream, when the server allows one more. */
  async request(headers: readonly Header[], signal: AbortSignal | undefined): Promise<Http2Stream> {
    while (this.isOpen && this.streams.size >= this.peerMaxStreams) await this.#turn(signal);
    signal?.throwIfAborted();
    if (!this.isOpen) throw lostError('the connection is closed');
    const stream = this.createStream(this.#nextStreamId);
    this.#nextStreamId += 2;
    if (this.#nextStreamId > maxStreamId) this.#leaving = true;
    this.owner.sendHeaders(stream, headers, false);
    return stream;
  }

  /** Opens no more streams, and closes behind those that are under way. */
  close(): void {
    this.#leaving = true;
    this.streamForgotten();
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    signal?.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    signal?.throwIfAborted();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  protected override openRemote(streamId: number): void {
    this.unknownStream(streamId);
  }

  protected override receiveMoreHeaders(stream: Http2Stream, headers: readonly Header[], endStream: boolean): void {
    // 1xx: more headers come.
    if (!endStream && /^1\d\d$/.test(headers.find(([name]) => name === ':status')?.[1] ?? '')) return;
    if (stream.hasHeaders) {
      if (endStream && !stream.isRemoteEnded) stream.receiveEnd(headers);
      else stream.reset(Http2Code.protocolError);
    } else stream.receiveHeaders(headers, endStream);
  }

  protected override receiveGoaway(lastStreamId: number): void {
    this.#leaving = true;
    for (const stream of [...this.streams.values()]) if (stream.id > lastStreamId) stream.fail(goingAwayError());
    this.streamForgotten();
  }

  protected override streamForgotten(): void {
    this.#wakeAll();
    if (this.#leaving && this.streams.size === 0) this.output.end();
  }

  protected override unknownStream(streamId: number): void {
    if (streamId % 2 === 0 || streamId >= this.#nextStreamId) throw new ConnectionError(Http2Code.protocolError, 'a frame of a stream that is not open');
  }
}
