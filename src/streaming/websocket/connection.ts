import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Holder } from '../byte-inbox.ts';
import { protocolError } from '../protocol-error.ts';
import { Wire } from '../wire.ts';
import { type FramePiece, FrameReader, messageFrame, Opcode } from './frames.ts';

/** RFC 6455, section 7.4.1. */
const CloseCode = { normal: 1000, protocolError: 1002 } as const;

/** A piece of a message, in order. */
export interface MessagePiece {
  readonly isText: boolean;
  readonly bytes: Buffer;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export interface WebSocketOptions {
  readonly socket: Duplex;
  readonly side: 'server' | 'client';
  /** What was read of the socket before. */
  readonly received?: Buffer;
  readonly idleMs: number;
  /** May throw: that ends the connection as broken. */
  readonly onPiece: (piece: MessagePiece) => void;
  /** Nothing comes any more. */
  readonly onLost: (reason: Error) => void;
}

/** Messages over an upgraded connection; pings are answered. */
export class WebSocketConnection implements Holder {
  readonly #options: WebSocketOptions;
  readonly #wire: Wire;
  readonly #frames: FrameReader;
  /** Of the message whose end has not arrived. */
  #message: { readonly isText: boolean; isFirst: boolean } | undefined;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#frames = new FrameReader({ isMasked: options.side === 'server' });
    this.#wire = new Wire({
      socket: options.socket,
      received: options.received ?? Buffer.alloc(0),
      idleMs: options.idleMs,
      onData: (chunk) => this.#receive(chunk),
      onLost: options.onLost,
    });
  }

  /** Call it once, when pieces may come. */
  start(): void {
    this.#wire.start();
  }

  hold(owner: object): void {
    this.#wire.hold(owner);
  }

  release(owner: object): void {
    this.#wire.release(owner);
  }

  /** Resolves when there is room for more; rejects once the connection is lost. */
  async write(opcode: typeof Opcode.text | typeof Opcode.binary, message: Buffer): Promise<void> {
    await this.#wire.write(this.#frame(opcode, message));
  }

  /** Says goodbye and ends the connection, behind what was written. */
  close(): void {
    this.#sendClose(CloseCode.normal);
    this.#wire.end();
  }

  cut(reason: Error): void {
    this.#wire.cut(reason);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const piece of this.#frames.push(chunk)) {
        this.#receivePiece(piece);
        if (!this.#wire.isOpen) return;
      }
    } catch (error) {
      this.#sendClose(CloseCode.protocolError);
      throw error;
    }
  }

  #receivePiece({ opcode, bytes, startsFrame, endsMessage }: FramePiece): void {
    if (opcode === Opcode.ping) this.#wire.send(this.#frame(Opcode.pong, bytes));
    else if (opcode === Opcode.close) this.close();
    else if (opcode !== Opcode.pong) this.#receiveData(opcode, bytes, startsFrame, endsMessage);
  }

  #receiveData(opcode: number, bytes: Buffer, startsFrame: boolean, endsMessage: boolean): void {
    if (startsFrame && (opcode === Opcode.continuation) !== (this.#message !== undefined))
      throw protocolError(opcode === Opcode.continuation ? 'a continuation of no message' : 'a message inside of another');
    this.#message ??= { isText: opcode === Opcode.text, isFirst: true };
    const { isText, isFirst } = this.#message;
    this.#message.isFirst = false;
    if (endsMessage) this.#message = undefined;
    this.#options.onPiece({ isText, bytes, isFirst, isLast: endsMessage });
  }

  #sendClose(code: number): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#wire.send(this.#frame(Opcode.close, payload));
  }

  #frame(opcode: number, payload: Buffer): Buffer {
    return messageFrame(opcode, payload, this.#options.side === 'client' ? randomBytes(4) : undefined);
  }
}
