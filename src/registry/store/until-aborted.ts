/** The same, up to an abort: then it throws the reason, also while the source is silent. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  let abandon: (reason: unknown) => void = () => undefined;
  // What has arrived already is still given: a turn later than the abort itself.
  const abort = () => setImmediate(() => abandon(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      // Not Promise.race with one promise of the abort: that would keep every piece until it is settled.
      const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T>>();
      abandon = reject;
      iterator.next().then(resolve, reject);
      if (signal.aborted) abort();
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
