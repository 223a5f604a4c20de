import type { IncomingMessage } from 'node:http';
import { StrakeError } from '../../base/index.ts';

/** Bytes held while nobody reads; then the connection is not read either. */
const maxHeldBytes = 512 << 10;

/**
 * The body of a request, from its arrival on: what came before the connection broke is read before the error, also by who begins to read later.
 * (A stream's own iterator throws away what it holds when the connection breaks.)
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #source: IncomingMessage;
  #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #receivedBytes = 0;
  #state: 'open' | 'ended' | 'broken' = 'open';
  /** Bytes that are still read away; undefined: they are kept. */
  #leftToDrain: number | undefined;
  #wake: () => void = () => undefined;

  constructor(source: IncomingMessage) {
    this.#source = source;
    source.on('data', (chunk: Uint8Array) => this.#push(chunk));
    source.on('end', () => this.#finish(source.complete ? 'ended' : 'broken'));
    for (const event of ['aborted', 'error', 'close']) source.on(event, () => this.#finish('broken'));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#heldBytes -= chunk.length;
        if (this.#heldBytes < maxHeldBytes / 2 && this.#source.isPaused()) this.#source.resume();
        yield chunk;
      } else if (this.#state === 'ended') return;
      else if (this.#state === 'broken') throw new StrakeError('Canceled', 'the request broke off', { fields: { layer: 'registry' } });
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    }
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Reads away what nobody wants, so that the connection can go on; one that brings more than `limitBytes` is cut. */
  drain(limitBytes: number): void {
    this.#chunks = [];
    if (this.#state !== 'open') return;
    this.#leftToDrain = limitBytes;
    this.#source.resume();
  }

  #push(chunk: Uint8Array): void {
    this.#receivedBytes += chunk.length;
    if (this.#leftToDrain !== undefined) {
      this.#leftToDrain -= chunk.length;
      if (this.#leftToDrain < 0) this.#source.destroy();
      return;
    }
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= maxHeldBytes) this.#source.pause();
    this.#wake();
  }

  #finish(state: 'ended' | 'broken'): void {
    if (this.#state !== 'open') return;
    this.#state = state;
    this.#wake();
  }
}
