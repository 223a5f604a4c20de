import type { Duplex } from 'node:stream';
import { ConnectionError, Http2Code, lostError } from './errors.ts';
import { FrameReader } from './frame-reader.ts';
import { defaultWindowBytes, encodeSettings, Flag, type Frame, FrameType, maxWindowBytes, Setting, uint32 } from './frames.ts';
import type { Header } from './headers.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { Output } from './output.ts';
import { Http2Stream, type StreamOwner, streamWindowBytes } from './stream.ts';

/** Of all streams together; credited as it arrives, since each stream bounds itself. */
const connectionWindowBytes = 4 * 1024 * 1024;
/** Of one list of headers, in HPACK's measure. */
export const maxHeaderListBytes = 64 * 1024;
/** Of the encoded block: a list in the limit, with room for its encoding. */
const maxHeaderBlockBytes = 2 * maxHeaderListBytes;
/** For the last words to a peer that broke the protocol. */
const lingerMs = 1000;
const allowedFrameBytes = { least: 16_384, most: 16_777_215 } as const;

export interface ConnectionOptions {
  readonly socket: Duplex;
  /** Called once, when the connection is over. */
  readonly onClose?: (reason: Error) => void;
}

/** Frames in and out: what both sides of a connection have in common (RFC 9113). */
export abstract class Http2Connection {
  protected readonly streams = new Map<number, Http2Stream>();
  protected readonly output: Output;
  /** What the peer allows. */
  protected peerMaxStreams = Number.POSITIVE_INFINITY;
  #peerWindow = defaultWindowBytes;
  readonly #socket: Duplex;
  readonly #reader = new FrameReader();
  readonly #decoder = new HpackDecoder(maxHeaderListBytes);
  /** A block of headers whose end has not arrived. */
  #block: { readonly streamId: number; readonly endStream: boolean; readonly parts: Buffer[]; bytes: number } | undefined;
  #receiveWindow = connectionWindowBytes;
  #closed: Error | undefined;
  readonly #onClose: ((reason: Error) => void) | undefined;
  protected readonly owner: StreamOwner;

  constructor({ socket, onClose }: ConnectionOptions) {
    this.#socket = socket;
    this.#onClose = onClose;
    this.output = new Output({
      socket,
      onEndSent: (stream) => this.endSent(stream),
      onEnded: () => this.abort(lostError('the connection is closed')),
      onBacklog: () => this.abort(new ConnectionError(Http2Code.enhanceYourCalm, 'the peer does not read its answers')),
    });
    this.owner = {
      sendHeaders: (stream, headers, endStream) => this.output.headers(stream.id, headers, endStream),
      sendable: (stream) => this.output.sendable(stream),
      sendReset: (stream, code) => this.output.frame(FrameType.rstStream, 0, stream.id, uint32(code)),
      sendCredit: (stream, bytes) => this.output.frame(FrameType.windowUpdate, 0, stream.id, uint32(bytes)),
      ended: (stream) => this.#forget(stream),
    };
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('end', () => this.abort(lostError('the peer has closed the connection')));
    socket.on('error', (cause: Error) => this.abort(lostError(`the connection failed: ${cause.message}`, cause)));
    socket.on('close', () => this.abort(lostError('the connection is closed')));
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** The peer's headers of a stream that is not known. */
  protected abstract openRemote(streamId: number, headers: readonly Header[] | undefined, endStream: boolean): void;
  protected abstract receiveGoaway(lastStreamId: number, code: number): void;
  protected abstract streamForgotten(): void;
  /** This side of a stream is over. */
  protected endSent(stream: Http2Stream): void {
    if (stream.isEnded) this.#forget(stream);
  }

  protected createStream(id: number): Http2Stream {
    const stream = new Http2Stream(this.owner, id, this.#peerWindow);
    this.streams.set(id, stream);
    return stream;
  }

  protected sendFirstSettings(more: readonly (readonly [id: number, value: number])[]): void {
    const settings = [[Setting.initialWindowSize, streamWindowBytes], [Setting.maxHeaderListSize, maxHeaderListBytes], ...more] as const;
    this.output.frame(FrameType.settings, 0, 0, encodeSettings(settings));
    this.output.frame(FrameType.windowUpdate, 0, 0, uint32(connectionWindowBytes - defaultWindowBytes));
  }

  protected sendGoaway(lastStreamId: number, code: number, why = ''): void {
    this.output.frame(FrameType.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(why.slice(0, 200))]));
  }

  protected receive(chunk: Buffer): void {
    if (this.#closed !== undefined) return;
    try {
      for (const frame of this.#reader.push(chunk)) {
        this.#receiveFrame(frame);
        if (this.isClosed) return;
      }
    } catch (error) {
      this.abort(error as Error);
    }
  }

  /** Ends the connection at once, telling the peer what it did wrong if it did. */
  abort(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    if (reason instanceof ConnectionError && !this.#socket.destroyed) {
      this.sendGoaway(Math.max(0, ...this.streams.keys()), reason.code, reason.message);
      this.output.flushLast();
    }
    this.output.close();
    const told = reason instanceof ConnectionError ? lostError(`the connection broke the protocol: ${reason.message}`, reason) : reason;
    for (const stream of [...this.streams.values()]) stream.fail(told);
    // Behind the GOAWAY, if there is one, and not for ever.
    this.#socket.end(() => this.#socket.destroy());
    setTimeout(() => this.#socket.destroy(), lingerMs).unref();
    this.#onClose?.(told);
  }

  #forget(stream: Http2Stream): void {
    this.output.forget(stream);
    if (this.streams.delete(stream.id)) this.streamForgotten();
  }

  #receiveFrame({ type, flags, streamId, payload }: Frame): void {
    if (this.#block !== undefined && (type !== FrameType.continuation || streamId !== this.#block.streamId))
      throw new ConnectionError(Http2Code.protocolError, 'a frame inside a block of headers');
    switch (type) {
      case FrameType.data:
        this.#receiveData(streamId, flags, payload);
        break;
      case FrameType.headers:
        this.#receiveHeaders(streamId, flags, payload);
        break;
      case FrameType.continuation:
        this.#receiveContinuation(flags, payload);
        break;
      case FrameType.rstStream:
        onlyOf(streamId !== 0, 'RST_STREAM');
        exactly(payload, 4);
        this.streams.get(streamId)?.receiveReset(payload.readUInt32BE());
        break;
      case FrameType.settings:
        onlyOf(streamId === 0, 'SETTINGS');
        this.#receiveSettings(flags, payload);
        break;
      case FrameType.ping:
        onlyOf(streamId === 0, 'PING');
        exactly(payload, 8);
        if ((flags & Flag.ack) === 0) this.output.frame(FrameType.ping, Flag.ack, 0, payload);
        break;
      case FrameType.goaway:
        onlyOf(streamId === 0 && payload.length >= 8, 'GOAWAY');
        this.receiveGoaway(payload.readUInt32BE(0) & 0x7fff_ffff, payload.readUInt32BE(4));
        break;
      case FrameType.windowUpdate:
        exactly(payload, 4);
        this.#receiveWindowUpdate(streamId, payload.readUInt32BE() & 0x7fff_ffff);
        break;
      case FrameType.pushPromise:
        throw new ConnectionError(Http2Code.protocolError, 'a push');
      default:
        // PRIORITY says nothing any more; what is not known is to be ignored.
        break;
    }
  }

  #receiveData(streamId: number, flags: number, payload: Buffer): void {
    onlyOf(streamId !== 0, 'DATA');
    if (payload.length > this.#receiveWindow) throw new ConnectionError(Http2Code.flowControlError, 'more data than the window of the connection');
    this.#receiveWindow -= payload.length;
    if (this.#receiveWindow < connectionWindowBytes / 2) {
      this.output.frame(FrameType.windowUpdate, 0, 0, uint32(connectionWindowBytes - this.#receiveWindow));
      this.#receiveWindow = connectionWindowBytes;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.unknownStream(streamId);
    else if (stream.isRemoteEnded) stream.reset(Http2Code.streamClosed);
    else if (!stream.receiveData(unpad(flags, payload), payload.length)) stream.reset(Http2Code.flowControlError);
    else if ((flags & Flag.endStream) !== 0) stream.receiveEnd();
  }

  /** Throws for a frame of a stream that was never opened; one that has ended meanwhile is no fault. */
  protected abstract unknownStream(streamId: number): void;

  #receiveHeaders(streamId: number, flags: number, payload: Buffer): void {
    onlyOf(streamId !== 0, 'HEADERS');
    const content = unpad(flags, payload);
    const priorityBytes = (flags & Flag.priority) !== 0 ? 5 : 0;
    if (content.length < priorityBytes) throw new ConnectionError(Http2Code.frameSizeError, 'HEADERS that end too early');
    this.#block = { streamId, endStream: (flags & Flag.endStream) !== 0, parts: [], bytes: 0 };
    this.#receiveContinuation(flags, content.subarray(priorityBytes));
  }

  #receiveContinuation(flags: number, payload: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw new ConnectionError(Http2Code.protocolError, 'a CONTINUATION of nothing');
    block.bytes += payload.length;
    // An empty one costs its sender nothing: CVE-2024-27316 and its kin.
    if (block.bytes > maxHeaderBlockBytes || block.parts.length > 64) throw new ConnectionError(Http2Code.enhanceYourCalm, 'headers without end');
    block.parts.push(payload);
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = undefined;
    const headers = this.#decoder.decode(block.parts.length === 1 ? (block.parts[0] as Buffer) : Buffer.concat(block.parts));
    const stream = this.streams.get(block.streamId);
    if (stream === undefined) this.openRemote(block.streamId, headers, block.endStream);
    else if (headers === undefined) stream.reset(Http2Code.enhanceYourCalm);
    else this.receiveMoreHeaders(stream, headers, block.endStream);
  }

  /** Headers of a stream that is there: a response, or trailers. */
  protected abstract receiveMoreHeaders(stream: Http2Stream, headers: readonly Header[], endStream: boolean): void;

  #receiveSettings(flags: number, payload: Buffer): void {
    if ((flags & Flag.ack) !== 0) {
      exactly(payload, 0);
      return;
    }
    if (payload.length % 6 !== 0) throw new ConnectionError(Http2Code.frameSizeError, 'SETTINGS that are no list');
    for (let at = 0; at < payload.length; at += 6) this.#apply(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.output.frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(0));
  }

  #apply(id: number, value: number): void {
    if (id === Setting.initialWindowSize) {
      if (value > maxWindowBytes) throw new ConnectionError(Http2Code.flowControlError, `a window of ${value} bytes`);
      const grown = value - this.#peerWindow;
      this.#peerWindow = value;
      for (const stream of this.streams.values())
        if (!stream.growWindow(grown)) throw new ConnectionError(Http2Code.flowControlError, 'a window that grows beyond its end');
    } else if (id === Setting.maxFrameSize) {
      if (value < allowedFrameBytes.least || value > allowedFrameBytes.most) throw new ConnectionError(Http2Code.protocolError, `frames of ${value} bytes`);
      // Larger frames would only make the streams' turns longer.
    } else if (id === Setting.maxConcurrentStreams) this.peerMaxStreams = value;
  }

  #receiveWindowUpdate(streamId: number, bytes: number): void {
    if (streamId === 0) {
      if (bytes === 0 || !this.output.growWindow(bytes)) throw new ConnectionError(Http2Code.flowControlError, 'a window of the connection out of range');
      return;
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.unknownStream(streamId);
    else if (bytes === 0 || !stream.growWindow(bytes)) stream.reset(Http2Code.flowControlError);
  }
}

function onlyOf(right: boolean, what: string): void {
  if (!right) throw new ConnectionError(Http2Code.protocolError, `${what} of the wrong stream`);
}

function exactly(payload: Buffer, bytes: number): void {
  if (payload.length !== bytes) throw new ConnectionError(Http2Code.frameSizeError, `a frame of ${payload.length} bytes where ${bytes} belong`);
}

function unpad(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) throw new ConnectionError(Http2Code.protocolError, 'more padding than frame');
  return payload.subarray(1, payload.length - padding);
}
