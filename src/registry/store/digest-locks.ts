/** One at a time for each digest: who stores and links content, and who takes away what nobody links. */
export class DigestLocks {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(digest: string, body: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(digest);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tails.set(digest, promise);
    try {
      await before;
      return await body();
    } finally {
      resolve();
      if (this.#tails.get(digest) === promise) this.#tails.delete(digest);
    }
  }
}
