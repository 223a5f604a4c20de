/** Waits for a promise that goes on without us. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

export interface IterateOptions {
  /** what is thrown; the signal's own reason where it is absent */
  readonly reason?: () => unknown;
  /** what has arrived already is still given, and the reason a turn later */
  readonly arrivedFirst?: boolean;
}

/** Iterates `source` up to an abort: then it throws the reason, also while the source is silent, and the source is told to end (`return`). */
export async function* iterateUntilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal, options: IterateOptions = {}): AsyncGenerator<T> {
  const { reason = () => signal.reason, arrivedFirst = false } = options;
  let abandon: (reason: unknown) => void = () => undefined;
  const abort = () => void (arrivedFirst ? setImmediate(() => abandon(reason())) : abandon(reason()));
  signal.addEventListener('abort', abort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      // Not Promise.race with one promise of the abort: that would keep every value until it is settled.
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
      abandon = reject;
      if (signal.aborted) abort();
      iterator.next().then(resolve, reject);
      const result = await promise;
      ended = result.done === true;
      if (result.done === true) return;
      yield result.value;
    }
  } catch (error) {
    ended = !signal.aborted;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    // Not awaited: a generator inside a silent wait answers `return` only after it.
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
