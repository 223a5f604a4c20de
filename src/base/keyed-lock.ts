import { untilAborted } from './until-aborted.ts';

/** One at a time for each key: what two want to have done at once, the second finds done. */
export class KeyedLock {
  readonly #held = new Map<string, Promise<void>>();

  /** Resolves to the lock, which is given back by disposing of it. */
  async take(key: string, signal: AbortSignal | undefined): Promise<Disposable> {
    for (let held = this.#held.get(key); held; held = this.#held.get(key)) await untilAborted(held, signal);
    const done = Promise.withResolvers<void>();
    this.#held.set(key, done.promise);
    return {
      [Symbol.dispose]: () => {
        this.#held.delete(key);
        done.resolve();
      },
    };
  }
}
