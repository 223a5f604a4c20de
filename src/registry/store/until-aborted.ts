/** The same, up to an abort: then it throws the reason, also while the source is silent. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  // What has arrived already is still given: a turn later than the abort itself.
  const abort = () => setImmediate(() => reject(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const result = await Promise.race([iterator.next(), aborted]);
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
