export interface BackoffTimes {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Kubernetes' own: 10 s, doubled up to 5 minutes. */
export const defaultBackoff: BackoffTimes = { initialMs: 10_000, maxMs: 300_000 };

interface Entry {
  readonly pauseMs: number;
  readonly sinceMs: number;
}

/**
 * Pauses between attempts at the same thing, which double with each. The first attempt after a failure is made at once; what has gone well for twice the longest
 * pause begins anew. Times are of one clock, which the caller chooses.
 */
export class Backoff {
  readonly #times: BackoffTimes;
  readonly #entries = new Map<string, Entry>();

  constructor(times: BackoffTimes) {
    this.#times = times;
  }

  /** How long to wait still after a failure at `failedMs`; 0: now. */
  remainingMs(key: string, failedMs: number, nowMs: number): number {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isOver(entry, failedMs)) return 0;
    return Math.max(0, Math.min(failedMs + entry.pauseMs - nowMs, entry.pauseMs));
  }

  /** The pause that `remainingMs` counts down, for messages. */
  pauseMs(key: string): number {
    return this.#entries.get(key)?.pauseMs ?? 0;
  }

  /** Another attempt is made, after a failure at `failedMs`. */
  next(key: string, failedMs: number, nowMs: number): void {
    const entry = this.#entries.get(key);
    const pauseMs = entry === undefined || this.#isOver(entry, failedMs) ? this.#times.initialMs : Math.min(entry.pauseMs * 2, this.#times.maxMs);
    this.#entries.set(key, { pauseMs, sinceMs: nowMs });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  #isOver(entry: Entry, failedMs: number): boolean {
    return failedMs - entry.sinceMs > this.#times.maxMs * 2;
  }
}
