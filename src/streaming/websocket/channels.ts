import { ByteInbox } from '../byte-inbox.ts';
import type { Channel } from '../channel.ts';
import { protocolError } from '../protocol-error.ts';
import { connectionLost } from '../wire.ts';
import { type MessagePiece, WebSocketConnection, type WebSocketOptions } from './connection.ts';
import { Opcode } from './frames.ts';

/** In version 5: the first byte of a message that half-closes the channel of its second byte. */
const closeSignal = 255;
/** Of a message in base64, which is held until it is whole. */
const maxTextBytes = 1024 * 1024;
/** Of one message that we send: what other ends of this protocol can take is not told anywhere, and 32 KiB is what Kubernetes itself sends. */
const maxDataBytes = 32 * 1024;
const characterZero = 48;

export interface ChannelsOptions extends Omit<WebSocketOptions, 'onPiece' | 'onLost' | 'side'> {
  /** How many channels there are. */
  readonly count: number;
  /** Of those the client may write to; what it sends to others is dropped. */
  readonly readable: readonly number[];
  /** As text: the channel is a digit, the rest base64. */
  readonly isBase64: boolean;
  /** Whether there is a signal that half-closes a channel (version 5). */
  readonly hasCloseSignal: boolean;
}

/** A WebSocket that is cut into numbered channels by the first byte of each message (Kubernetes: `channel.k8s.io` and its versions). */
export class WebSocketChannels {
  /** Aborted when nothing can come or go any more. */
  readonly signal: AbortSignal;
  readonly channels: readonly Channel[];
  readonly #options: ChannelsOptions;
  readonly #connection: WebSocketConnection;
  readonly #inboxes: readonly ByteInbox[];
  readonly #abort = new AbortController();
  /** Of the message that is arriving. */
  #message: { channel: number | undefined; text: Buffer[]; textBytes: number } = { channel: undefined, text: [], textBytes: 0 };

  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.signal = this.#abort.signal;
    this.#connection = new WebSocketConnection({
      ...options,
      side: 'server',
      onPiece: (piece) => this.#receive(piece),
      onLost: (reason) => {
        for (const inbox of this.#inboxes) inbox.end();
        this.#abort.abort(reason);
      },
    });
    this.#inboxes = Array.from({ length: options.count }, () => new ByteInbox(this.#connection));
    this.channels = this.#inboxes.map((inbox, number) => ({
      input: inbox,
      ignoreInput: () => inbox.discard(),
      write: async (data: Uint8Array) => await this.#write(number, data),
      // There is no way to tell: the client learns it by the end of the connection.
      end: () => undefined,
    }));
    for (const [number, inbox] of this.#inboxes.entries()) if (!options.readable.includes(number)) inbox.discard();
    this.#connection.start();
  }

  /** An empty message, by which the client learns that the channel is there. */
  async announce(number: number): Promise<void> {
    await this.#send(number, Buffer.alloc(0));
  }

  close(): void {
    this.#connection.close();
  }

  async #write(number: number, data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += maxDataBytes)
      await this.#send(number, Buffer.from(data.buffer, data.byteOffset + at, Math.min(maxDataBytes, data.length - at)));
  }

  async #send(number: number, data: Buffer): Promise<void> {
    if (this.signal.aborted) throw connectionLost('the connection is closed');
    if (this.#options.isBase64) await this.#connection.write(Opcode.text, Buffer.from(`${number}${data.toString('base64')}`));
    else await this.#connection.write(Opcode.binary, Buffer.concat([Buffer.from([number]), data]));
  }

  #receive(piece: MessagePiece): void {
    if (piece.isFirst) this.#message = { channel: undefined, text: [], textBytes: 0 };
    if (this.#options.isBase64) this.#receiveText(piece);
    else this.#receiveBytes(piece.bytes);
  }

  #receiveBytes(bytes: Buffer): void {
    const message = this.#message;
    let data = bytes;
    if (message.channel === undefined) {
      const [first] = data;
      if (first === undefined) return;
      message.channel = first;
      data = data.subarray(1);
    }
    if (message.channel === closeSignal && this.#options.hasCloseSignal) for (const number of data) this.#inboxes[number]?.end();
    else this.#inboxes[message.channel]?.push(data);
  }

  #receiveText({ bytes, isLast }: MessagePiece): void {
    const message = this.#message;
    message.text.push(bytes);
    message.textBytes += bytes.length;
    if (message.textBytes > maxTextBytes) throw protocolError(`a message in base64 of more than ${maxTextBytes} bytes`);
    if (!isLast || message.textBytes === 0) return;
    const text = Buffer.concat(message.text);
    this.#inboxes[(text[0] ?? 0) - characterZero]?.push(Buffer.from(text.subarray(1).toString('latin1'), 'base64'));
  }
}
