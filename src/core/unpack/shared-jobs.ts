/** Work that several callers want at the same time is done once. It is aborted when nobody waits for it any more. */
export class SharedJobs<Event, Result> {
  readonly #jobs = new Map<string, Job<Event, Result>>();

  /** Joins the job `key`, or starts it. A late comer first gets the last event. */
  async run(
    key: string,
    start: (context: { readonly signal: AbortSignal; readonly emit: (event: Event) => void }) => Promise<Result>,
    { signal, onEvent }: { readonly signal?: AbortSignal | undefined; readonly onEvent?: ((event: Event) => void) | undefined } = {},
  ): Promise<Result> {
    signal?.throwIfAborted();
    const running = this.#jobs.get(key);
    if (running !== undefined) return await running.join(signal, onEvent);
    const job = new Job<Event, Result>();
    this.#jobs.set(key, job);
    // Called before it settles when all have gone, so that a new caller does not join what is being aborted.
    job.begin(start, () => this.#jobs.get(key) === job && this.#jobs.delete(key));
    return await job.join(signal, onEvent);
  }
}

class Job<Event, Result> {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(event: Event) => void>();
  #waiting = 0;
  #last: { readonly event: Event } | undefined;
  #result: Promise<Result> | undefined;
  #leave: () => unknown = () => undefined;

  begin(start: (context: { readonly signal: AbortSignal; readonly emit: (event: Event) => void }) => Promise<Result>, leave: () => unknown): void {
    this.#leave = leave;
    const emit = (event: Event) => {
      this.#last = { event };
      for (const listener of this.#listeners) listener(event);
    };
    this.#result = start({ signal: this.#controller.signal, emit }).finally(leave);
    this.#result.catch(() => undefined);
  }

  async join(signal: AbortSignal | undefined, onEvent: ((event: Event) => void) | undefined): Promise<Result> {
    const listener = (event: Event) => onEvent?.(event);
    if (this.#last) listener(this.#last.event);
    this.#listeners.add(listener);
    this.#waiting++;
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined);
    const abort = () => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([this.#result as Promise<Result>, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#listeners.delete(listener);
      if (--this.#waiting === 0 && signal?.aborted) {
        this.#leave();
        this.#controller.abort(signal.reason);
        // The caller may remove what the job works on: it must have stopped.
        await this.#result?.catch(() => undefined);
      }
    }
  }
}
