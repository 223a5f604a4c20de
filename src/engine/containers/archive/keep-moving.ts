import { StrakeError } from '../../../base/index.ts';

/** Whoever holds a container's files so long without doing anything with them has to let go. */
const idleMs = 300_000;

/**
 * Passes a stream on, and ends it when nothing comes, or nobody takes what came, for five minutes: by then `letGo` is called, and who reads on gets
 * DeadlineExceeded.
 */
export async function* keepMoving<Value>(source: AsyncIterable<Value>, letGo: () => void, limitMs: number = idleMs): AsyncGenerator<Value> {
  const { promise: idle, reject } = Promise.withResolvers<never>();
  idle.catch(() => undefined);
  const watch = (what: string) =>
    setTimeout(() => {
      reject(new StrakeError('DeadlineExceeded', `${what} for ${limitMs / 1000} seconds`, { fields: { layer: 'engine' } }));
      letGo();
    }, limitMs);
  const iterator = source[Symbol.asyncIterator]();
  let timer = watch('no data came');
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), idle]);
      clearTimeout(timer);
      if (next.done === true) return;
      timer = watch('nobody took the data');
      yield next.value;
      clearTimeout(timer);
      timer = watch('no data came');
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: what is silent answers `return` only once it speaks.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
