/**
 * A source that whoever consumes it cannot close: after a consumer has given up, the rest can still be read, so that a source that verifies its bytes comes to
 * its verdict. Its owner closes it.
 */
export class DrainableSource implements AsyncIterable<Uint8Array> {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #bytes = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  /** Bytes that came so far. */
  get bytes(): number {
    return this.#bytes;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: async () => await this.#next(), return: async () => ({ done: true, value: undefined }) };
  }

  /** Reads on to the end; throws what the source throws, or has thrown while nobody listened any more. */
  async drain(): Promise<void> {
    while (!(await this.#next()).done);
    if (this.#failure) throw this.#failure.error;
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.();
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await this.#iterator.next();
      this.#ended ||= result.done === true;
      if (!result.done) this.#bytes += result.value.length;
      return result;
    } catch (error) {
      this.#ended = true;
      this.#failure = { error };
      throw error;
    }
  }
}
