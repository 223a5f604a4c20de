/** What one stream holds while nobody reads it; then the whole connection waits, since neither SPDY as it is spoken here nor WebSocket holds a single stream back. */
const maxHeldBytes = 256 * 1024;

/** Who stops reading the connection's socket while any of its streams is full. */
export interface Holder {
  hold(owner: object): void;
  release(owner: object): void;
}

/** The bytes of one stream between its connection and who reads them. Leaving the iteration drops what comes later. */
export class ByteInbox implements AsyncIterable<Uint8Array> {
  readonly #holder: Holder;
  readonly #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #isEnded = false;
  #isDiscarded = false;
  #wake: (() => void) | undefined;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  push(chunk: Uint8Array): void {
    if (this.#isEnded || this.#isDiscarded || chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= maxHeldBytes) this.#holder.hold(this);
    this.#wake?.();
  }

  /** What is held is still read. A connection that was lost ends its streams like this: what that cost shows when it is written to. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** Nobody will read this. */
  discard(): void {
    this.#isDiscarded = true;
    this.#chunks.length = 0;
    this.#heldBytes = 0;
    this.#holder.release(this);
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#heldBytes -= chunk.length;
          if (this.#heldBytes < maxHeldBytes) this.#holder.release(this);
          yield chunk;
        } else if (this.#isEnded) return;
        else {
          const { promise, resolve } = Promise.withResolvers<void>();
          this.#wake = resolve;
          await promise;
        }
      }
    } finally {
      this.discard();
    }
  }
}
