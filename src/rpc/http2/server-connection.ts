import type { Duplex } from 'node:stream';
import { Http2Connection } from './connection.ts';
import { ConnectionError, Http2Code, lostError } from './errors.ts';
import { clientPreface, FrameType, Setting, uint32 } from './frames.ts';
import type { Header } from './headers.ts';
import type { Http2Stream } from './stream.ts';

/** Of one connection, counted until the handler is done: a reset alone makes no room (CVE-2023-44487). */
const maxConcurrentStreams = 1000;
/** From the connection to the client's first words. */
const prefaceTimeoutMs = 10_000;

/** Answers one request; it is over when this resolves. */
export type StreamHandler = (stream: Http2Stream, headers: readonly Header[]) => Promise<void>;

export interface ServerConnectionOptions {
  readonly socket: Duplex;
  readonly handle: StreamHandler;
  readonly onClose: () => void;
}

export class Http2ServerConnection extends Http2Connection {
  readonly #handle: StreamHandler;
  readonly #prefaceTimer: NodeJS.Timeout;
  #preface = Buffer.alloc(0);
  #begun = false;
  #lastStreamId = 0;
  #handling = 0;
  #goingAway = false;

  constructor({ socket, handle, onClose }: ServerConnectionOptions) {
    super({
      socket,
      onClose: () => {
        clearTimeout(this.#prefaceTimer);
        onClose();
      },
    });
    this.#handle = handle;
    this.#prefaceTimer = setTimeout(() => this.abort(lostError('the client said nothing')), prefaceTimeoutMs);
    this.sendFirstSettings([[Setting.maxConcurrentStreams, maxConcurrentStreams]]);
  }

  /** Takes no more requests, and closes behind those that are under way. */
  close(): void {
    if (this.#goingAway || this.isClosed) return;
    this.#goingAway = true;
    this.sendGoaway(this.#lastStreamId, Http2Code.noError);
    this.streamForgotten();
  }

  protected override receive(chunk: Buffer): void {
    if (this.#begun) super.receive(chunk);
    else this.#receivePreface(chunk);
  }

  #receivePreface(chunk: Buffer): void {
    this.#preface = Buffer.concat([this.#preface, chunk]);
    const got = this.#preface.subarray(0, clientPreface.length);
    if (!got.equals(clientPreface.subarray(0, got.length))) this.abort(new ConnectionError(Http2Code.protocolError, 'the client does not speak HTTP/2'));
    else if (got.length === clientPreface.length) {
      this.#begun = true;
      clearTimeout(this.#prefaceTimer);
      super.receive(this.#preface.subarray(clientPreface.length));
    }
  }

  protected override openRemote(streamId: number, headers: readonly Header[] | undefined, endStream: boolean): void {
    if (streamId % 2 === 0) throw new ConnectionError(Http2Code.protocolError, 'a stream of the wrong side');
    // One that has ended meanwhile: its trailers are read for the table's sake alone.
    if (streamId <= this.#lastStreamId) return;
    if (this.#goingAway) return;
    this.#lastStreamId = streamId;
    if (headers === undefined) this.#refuse(streamId, Http2Code.enhanceYourCalm);
    else if (this.#handling >= maxConcurrentStreams) this.#refuse(streamId, Http2Code.refusedStream);
    else this.#open(streamId, headers, endStream);
  }

  #refuse(streamId: number, code: number): void {
    this.output.frame(FrameType.rstStream, 0, streamId, uint32(code));
  }

  #open(streamId: number, headers: readonly Header[], endStream: boolean): void {
    const stream = this.createStream(streamId);
    stream.receiveHeaders(headers, endStream);
    this.#handling += 1;
    void this.#handle(stream, headers).then(
      () => this.#handled(),
      () => {
        stream.reset(Http2Code.internalError);
        this.#handled();
      },
    );
  }

  protected override receiveMoreHeaders(stream: Http2Stream, headers: readonly Header[], endStream: boolean): void {
    if (endStream && !stream.isRemoteEnded) stream.receiveEnd(headers);
    else stream.reset(Http2Code.protocolError);
  }

  /** The response is over: the client need not send the rest. */
  protected override endSent(stream: Http2Stream): void {
    if (stream.isRemoteEnded) super.endSent(stream);
    else stream.reset(Http2Code.noError);
  }

  protected override receiveGoaway(): void {
    // The client opens no more streams; those under way go on.
  }

  protected override streamForgotten(): void {
    if (this.#goingAway && this.streams.size === 0) this.output.end();
  }

  protected override unknownStream(streamId: number): void {
    if (streamId % 2 === 0 || streamId > this.#lastStreamId) throw new ConnectionError(Http2Code.protocolError, 'a frame of a stream that is not open');
  }

  #handled(): void {
    this.#handling -= 1;
  }
}
