import { iterateUntilAborted, StrakeError } from '../../../base/index.ts';

/** Whoever holds a container's files so long without doing anything with them has to let go. */
const idleMs = 300_000;

/**
 * Passes a stream on, and ends it when nothing comes, or nobody takes what came, for five minutes: by then `letGo` is called, and who reads on gets
 * DeadlineExceeded.
 */
export async function* keepMoving<Value>(source: AsyncIterable<Value>, letGo: () => void, limitMs: number = idleMs): AsyncGenerator<Value> {
  const idle = new AbortController();
  const watch = (what: string) =>
    setTimeout(() => {
      idle.abort(new StrakeError('DeadlineExceeded', `${what} for ${limitMs / 1000} seconds`, { fields: { layer: 'engine' } }));
      letGo();
    }, limitMs);
  let timer = watch('no data came');
  try {
    for await (const value of iterateUntilAborted(source, idle.signal)) {
      clearTimeout(timer);
      timer = watch('nobody took the data');
      yield value;
      clearTimeout(timer);
      timer = watch('no data came');
    }
  } finally {
    clearTimeout(timer);
  }
}
