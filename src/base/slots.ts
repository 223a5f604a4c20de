/** At most so many at once; the others wait in order. */
export class Slots {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  get full(): boolean {
    return this.#free === 0;
  }

  /** Resolves to the slot, which is given back by disposing of it. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
    if (this.#free === 0) await this.#wait(signal);
    else this.#free--;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const next = this.#queue.shift();
        if (next) next();
        else this.#free++;
      },
    };
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.#queue.push(turn.resolve);
    const abort = () => {
      const index = this.#queue.indexOf(turn.resolve);
      if (index === -1) return;
      this.#queue.splice(index, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}
