import { create } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { StrakeError } from '../../base/index.ts';
import type { MessageStream } from './streams.ts';

/** The server's end of a client's call: what is sent waits until the call's response stream takes it, one message at a time. */
export class ServedStream implements MessageStream {
  readonly name: string;
  readonly #incoming: AsyncIterator<Any>;
  readonly #outgoing: { readonly message: Any; readonly taken: PromiseWithResolvers<void> }[] = [];
  #waiting = Promise.withResolvers<void>();
  #open = true;
  #endReceiving: () => void = () => undefined;

  constructor(name: string, incoming: AsyncIterator<Any>) {
    this.name = name;
    this.#incoming = incoming;
  }

  async send(message: Any): Promise<void> {
    if (!this.#open) throw gone(this.name);
    const taken = Promise.withResolvers<void>();
    this.#outgoing.push({ message, taken });
    this.#waiting.resolve();
    await taken.promise;
  }

  async receive(): Promise<Any | undefined> {
    if (!this.#open) return undefined;
    // Not Promise.race with one promise of the end: that would keep every message until it is settled.
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Any> | undefined>();
    this.#endReceiving = () => resolve(undefined);
    this.#incoming.next().then(resolve, reject);
    try {
      const next = await promise;
      return next === undefined || next.done === true ? undefined : next.value;
    } catch (error) {
      // The client left in the middle: that is how a stream ends, and who waits for bytes sees that some are missing.
      if (!this.#open) return undefined;
      throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#endReceiving();
    this.#waiting.resolve();
  }

  /** The response of the call: first the empty message that says that the stream is there, then all that is sent, until it is closed or the client leaves. */
  async *messages(signal: AbortSignal): AsyncGenerator<Any> {
    const leave = () => this.close();
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      yield create(AnySchema, { typeUrl: 'google.protobuf.Empty' });
      for (;;) {
        const next = this.#outgoing.shift();
        if (next !== undefined) {
          yield next.message;
          next.taken.resolve();
        } else if (this.#open) {
          await this.#waiting.promise;
          this.#waiting = Promise.withResolvers<void>();
        } else return;
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.close();
      for (const { taken } of this.#outgoing.splice(0)) taken.reject(gone(this.name));
    }
  }
}

function gone(name: string): StrakeError {
  return new StrakeError('Canceled', `stream ${JSON.stringify(name)}: its client has left`, { fields: { layer: 'containerd' } });
}
