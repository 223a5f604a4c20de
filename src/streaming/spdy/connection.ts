import type { Duplex } from 'node:stream';
import { protocolError } from '../protocol-error.ts';
import { connectionLost, Wire } from '../wire.ts';
import { ControlType, controlFrame, type FrameEvent, FrameReader, finFlag, ResetCode, words } from './frames.ts';
import { HeaderBlockReader, HeaderBlockWriter, type SpdyHeaders } from './header-block.ts';
import { SpdyStream, type StreamOwner } from './stream.ts';

/** Streams that a peer may have open at once: two for each connection of a port-forward. */
const maxStreams = 512;
const noHeaders: SpdyHeaders = new Map();

export interface SpdyConnectionOptions {
  readonly socket: Duplex;
  readonly side: 'server' | 'client';
  /** What was read of the socket before. */
  readonly received?: Buffer;
  readonly idleMs: number;
  /** A stream that the peer opens: false refuses it. */
  readonly onStream: (stream: SpdyStream) => boolean;
}

/**
 * SPDY/3.1 as Kubernetes speaks it, on an upgraded connection: streams with headers, data, half-close and reset. Its windows are not kept by any peer (moby/spdystream has
 * none), so a full stream holds the whole connection.
 */
export class SpdyConnection {
  /** Aborted when nothing can come or go any more. */
  readonly signal: AbortSignal;
  readonly #options: SpdyConnectionOptions;
  readonly #wire: Wire;
  readonly #owner: StreamOwner;
  readonly #abort = new AbortController();
  readonly #frames = new FrameReader();
  readonly #blocks = new HeaderBlockReader();
  readonly #writer = new HeaderBlockWriter();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #receivers: Readonly<Record<number, { readonly leastBytes: number; readonly act: (payload: Buffer, flags: number) => void }>> = {
    [ControlType.synStream]: { leastBytes: 10, act: (payload, flags) => this.#receiveStream(flags, payload) },
    [ControlType.synReply]: { leastBytes: 4, act: (payload, flags) => this.#receiveReply(flags, payload) },
    // More headers mean nothing here, but what follows is compressed with them.
    [ControlType.headers]: { leastBytes: 4, act: (payload) => void this.#blocks.read(payload.subarray(4)) },
    [ControlType.rstStream]: { leastBytes: 8, act: (payload) => this.#receiveReset(payload.readUInt32BE(0)) },
    [ControlType.ping]: { leastBytes: 4, act: (payload) => this.#receivePing(payload) },
    [ControlType.goaway]: { leastBytes: 0, act: () => this.#receiveGoaway() },
  };
  #lastPeerId = 0;
  #nextId: number;
  #isPeerLeaving = false;

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
    this.signal = this.#abort.signal;
    this.#nextId = options.side === 'server' ? 2 : 1;
    this.#wire = new Wire({
      socket: options.socket,
      received: options.received ?? Buffer.alloc(0),
      idleMs: options.idleMs,
      onData: (chunk) => this.#receive(chunk),
      onLost: (reason) => this.#lose(reason),
    });
    this.#owner = {
      hold: (owner) => this.#wire.hold(owner),
      release: (owner) => this.#wire.release(owner),
      write: async (...parts) => await this.#wire.write(...parts),
      send: (...parts) => this.#wire.send(...parts),
      sendReset: (streamId, code) => this.#sendReset(streamId, code),
      forget: (stream) => this.#forget(stream),
    };
    this.#wire.start();
  }

  /** Opens a stream; wait for its `replied`. */
  open(headers: SpdyHeaders): SpdyStream {
    if (!this.#wire.isOpen) throw connectionLost('the connection is closed');
    const stream = new SpdyStream(this.#owner, this.#nextId, headers);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    this.#wire.send(controlFrame(ControlType.synStream, 0, words(stream.id, 0), Buffer.alloc(2), this.#writer.write(headers)));
    return stream;
  }

  /** Ends every stream and the connection, behind what was written. */
  close(): void {
    for (const stream of [...this.#streams.values()]) stream.end();
    this.#sendGoaway(0);
    this.#wire.end();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const event of this.#frames.push(chunk)) {
        this.#receiveFrame(event);
        if (!this.#wire.isOpen) return;
      }
    } catch (error) {
      this.#sendGoaway(1);
      throw error;
    }
  }

  #receiveFrame(event: FrameEvent): void {
    if (event.kind === 'data') {
      this.#receiveData(event.streamId, event.bytes, event.fin);
      return;
    }
    const { type, flags, payload } = event;
    const receive = this.#receivers[type];
    // SETTINGS and WINDOW_UPDATE ask for nothing that is kept here; what is not known is to be ignored.
    if (receive === undefined) return;
    if (payload.length < receive.leastBytes) throw protocolError('a control frame that ends too early');
    receive.act(payload, flags);
  }

  #receiveData(streamId: number, bytes: Buffer, fin: boolean): void {
    if (streamId === 0) throw protocolError('data of no stream');
    // Behind a reset of ours data is still on its way.
    this.#streams.get(streamId)?.receive(bytes, fin);
  }

  #receiveStream(flags: number, payload: Buffer): void {
    const id = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (id === 0) throw protocolError('a stream without a number');
    const headers = this.#blocks.read(payload.subarray(10));
    if (!this.#isPeers(id) || id <= this.#lastPeerId) {
      this.#sendReset(id, ResetCode.protocolError);
      return;
    }
    this.#lastPeerId = id;
    const stream = new SpdyStream(this.#owner, id, headers);
    if (this.#isPeerLeaving || this.#streams.size >= maxStreams || !this.#options.onStream(stream)) {
      stream.reset(ResetCode.refusedStream);
      return;
    }
    this.#streams.set(id, stream);
    this.#wire.send(controlFrame(ControlType.synReply, 0, words(id), this.#writer.write(noHeaders)));
    if ((flags & finFlag) !== 0) stream.receive(Buffer.alloc(0), true);
  }

  #receiveReply(flags: number, payload: Buffer): void {
    this.#blocks.read(payload.subarray(4));
    const stream = this.#streams.get(payload.readUInt32BE(0) & 0x7fff_ffff);
    stream?.receiveReply();
    if ((flags & finFlag) !== 0) stream?.receive(Buffer.alloc(0), true);
  }

  #receiveReset(streamId: number): void {
    const stream = this.#streams.get(streamId & 0x7fff_ffff);
    if (stream === undefined) return;
    stream.lose();
    this.#forget(stream);
  }

  #receivePing(payload: Buffer): void {
    // One with a number of ours is an answer.
    if (this.#isPeers(payload.readUInt32BE(0))) this.#wire.send(controlFrame(ControlType.ping, 0, payload.subarray(0, 4)));
  }

  #receiveGoaway(): void {
    this.#isPeerLeaving = true;
    this.#endIfLeft();
  }

  /** The client's numbers are odd. */
  #isPeers(id: number): boolean {
    return id % 2 === (this.#options.side === 'server' ? 1 : 0);
  }

  #sendReset(streamId: number, code: number): void {
    this.#wire.send(controlFrame(ControlType.rstStream, 0, words(streamId, code)));
  }

  #sendGoaway(status: number): void {
    this.#wire.send(controlFrame(ControlType.goaway, 0, words(this.#lastPeerId, status)));
  }

  #forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    this.#endIfLeft();
  }

  /** A peer that has said goodbye waits for its streams to end, and then for the connection. */
  #endIfLeft(): void {
    if (this.#isPeerLeaving && this.#streams.size === 0) this.#wire.end();
  }

  #lose(reason: Error): void {
    for (const stream of [...this.#streams.values()]) stream.lose();
    this.#streams.clear();
    this.#abort.abort(reason);
  }
}
