import { ByteInbox, type Holder } from '../byte-inbox.ts';
import type { Channel } from '../channel.ts';
import { connectionLost } from '../wire.ts';
import { dataHeader, finFlag, ResetCode } from './frames.ts';
import type { SpdyHeaders } from './header-block.ts';

/** Of one data frame: other streams get their turn between two. */
const maxDataBytes = 64 * 1024;

/** What a stream asks of its connection. */
export interface StreamOwner extends Holder {
  write(...parts: readonly Buffer[]): Promise<void>;
  send(...parts: readonly Buffer[]): void;
  sendReset(streamId: number, code: number): void;
  /** Both sides are done. */
  forget(stream: SpdyStream): void;
}

export class SpdyStream implements Channel {
  readonly id: number;
  /** Those that its SYN_STREAM came with. */
  readonly headers: SpdyHeaders;
  readonly input: ByteInbox;
  readonly #owner: StreamOwner;
  readonly #replied = Promise.withResolvers<void>();
  #isLocalEnded = false;
  #isRemoteEnded = false;

  constructor(owner: StreamOwner, id: number, headers: SpdyHeaders) {
    this.#owner = owner;
    this.id = id;
    this.headers = headers;
    this.input = new ByteInbox(owner);
    this.#replied.promise.catch(() => undefined);
  }

  /** Of a stream that this side has opened: the peer has taken it. */
  get replied(): Promise<void> {
    return this.#replied.promise;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += maxDataBytes) {
      if (this.#isLocalEnded) throw connectionLost('the peer does not take this stream any more');
      const bytes = Buffer.from(data.buffer, data.byteOffset + at, Math.min(maxDataBytes, data.length - at));
      await this.#owner.write(dataHeader(this.id, 0, bytes.length), bytes);
    }
  }

  end(): void {
    if (this.#isLocalEnded) return;
    this.#isLocalEnded = true;
    this.#owner.send(dataHeader(this.id, finFlag, 0));
    this.#forgetIfDone();
  }

  ignoreInput(): void {
    this.input.discard();
  }

  /** Gives up both directions. */
  reset(code: number = ResetCode.cancel): void {
    if (!this.#isLocalEnded || !this.#isRemoteEnded) this.#owner.sendReset(this.id, code);
    this.lose();
    this.#owner.forget(this);
  }

  /** Of the connection: the peer has reset the stream, or is gone. */
  lose(): void {
    this.#isLocalEnded = true;
    this.#isRemoteEnded = true;
    this.input.end();
    this.#replied.reject(connectionLost('the stream was refused'));
  }

  receiveReply(): void {
    this.#replied.resolve();
  }

  /** Of the connection: false when the peer had ended the stream. */
  receive(bytes: Buffer, fin: boolean): boolean {
    if (this.#isRemoteEnded) return false;
    this.input.push(bytes);
    if (fin) {
      this.#isRemoteEnded = true;
      this.input.end();
      this.#forgetIfDone();
    }
    return true;
  }

  #forgetIfDone(): void {
    if (this.#isLocalEnded && this.#isRemoteEnded) this.#owner.forget(this);
  }
}
