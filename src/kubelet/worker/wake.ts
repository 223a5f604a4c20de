/** A wait that others may end; being woken while nobody waits ends the next wait. */
export class Wake {
  #pending = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Resolves at the next `wake`, or at that time of `performance.now()`. */
  async until(atMs: number): Promise<void> {
    if (!this.#pending) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      const timer = setTimeout(resolve, Math.max(0, atMs - performance.now()));
      await promise;
      clearTimeout(timer);
      this.#resolve = undefined;
    }
    this.#pending = false;
  }
}
