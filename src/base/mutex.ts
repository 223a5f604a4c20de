/** One at a time, in order. */
export class Mutex {
  private last: Promise<unknown> = Promise.resolve();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return await turn;
  }

  /** The turn, which ends when it is disposed of. */
  async hold(): Promise<Disposable> {
    const turn = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    void this.run(async () => {
      turn.resolve();
      await end.promise;
    });
    await turn.promise;
    return { [Symbol.dispose]: () => end.resolve() };
  }
}
