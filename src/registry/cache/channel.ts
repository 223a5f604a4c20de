type State = { readonly kind: 'open' | 'ended' | 'left' } | { readonly kind: 'failed'; readonly error: unknown };

/** Pieces on their way from one writer to one reader, a few at a time: the writer waits for the reader, until the reader leaves. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #state: State = { kind: 'open' };
  #wake: () => void = () => undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room for more; at once when nobody reads any more. */
  async push(item: T): Promise<void> {
    if (this.#state.kind !== 'open') return;
    this.#items.push(item);
    this.#wake();
    while (this.#state.kind === 'open' && this.#items.length >= this.#limit) await this.#changed();
  }

  end(): void {
    this.#become({ kind: 'ended' });
  }

  /** The reader gets the error after what is here. */
  fail(error: unknown): void {
    this.#become({ kind: 'failed', error });
  }

  /** The writer goes on without the reader. */
  leave(): void {
    this.#become({ kind: 'left' });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#wake();
          yield item;
        } else if (this.#state.kind === 'failed') throw this.#state.error;
        else if (this.#state.kind !== 'open') return;
        else await this.#changed();
      }
    } finally {
      this.leave();
    }
  }

  #become(state: State): void {
    if (this.#state.kind === 'open') this.#state = state;
    this.#wake();
  }

  async #changed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#wake;
    this.#wake = () => {
      before();
      resolve();
    };
    await promise;
  }
}
