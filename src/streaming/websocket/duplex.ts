import { Duplex } from 'node:stream';
import { protocolError } from '../protocol-error.ts';
import { connectionLost } from '../wire.ts';
import { WebSocketConnection, type WebSocketOptions } from './connection.ts';
import { Opcode } from './frames.ts';

/** A byte stream whose bytes are the contents of binary messages: what SPDY is tunnelled through. */
export class WebSocketDuplex extends Duplex {
  readonly #connection: WebSocketConnection;
  /** Its last words are on their way: the socket ends behind them. */
  #isClosing = false;

  constructor(options: Omit<WebSocketOptions, 'onPiece' | 'onLost'>) {
    super();
    this.#connection = new WebSocketConnection({
      ...options,
      onPiece: ({ isText, bytes }) => {
        if (isText) throw protocolError('a text message in a tunnel');
        if (bytes.length > 0 && !this.push(bytes)) this.#connection.hold(this);
      },
      onLost: () => {
        this.push(null);
        if (!this.#isClosing) this.destroy();
      },
    });
    this.#connection.start();
  }

  override _read(): void {
    this.#connection.release(this);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#connection.write(Opcode.binary, chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.#isClosing = true;
    this.#connection.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#isClosing) this.#connection.cut(error ?? connectionLost('the tunnel is closed'));
    done(error);
  }
}
