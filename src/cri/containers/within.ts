import { setTimeout as pause } from 'node:timers/promises';

/** False when the time is over, or the caller has gone; the promise itself goes on. The timer goes with the wait: it would keep what hangs on it. */
export async function within(ended: Promise<void>, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const timer = pause(timeoutMs, false, { signal: signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]) }).catch(() => false);
  try {
    return await Promise.race([ended.then(() => true), timer]);
  } finally {
    over.abort();
  }
}
