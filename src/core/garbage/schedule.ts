import { errorMessage, type Logger } from '../../base/index.ts';
import type { CollectGarbage } from './collector.ts';

/** After a removal others often follow. */
const shortestPauseMs = 500;
/** Of the time since a collection began it took at most this part: containerd's `pause_threshold`. */
const longestShare = 0.02;

export interface GarbageScheduleOptions {
  readonly collect: CollectGarbage;
  readonly log: Logger;
  readonly shortestPauseMs?: number;
}

/** Collects some time after something was removed, as containerd does by itself; not while nothing is. */
export class GarbageSchedule implements AsyncDisposable {
  readonly #options: GarbageScheduleOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isEnded = false;
  #lastMs = 0;

  constructor(options: GarbageScheduleOptions) {
    this.#options = options;
  }

  removed(): void {
    this.#isWanted = true;
    this.#plan();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(): void {
    if (this.#isEnded || this.#running !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#running = this.#collect();
      },
      Math.max(this.#options.shortestPauseMs ?? shortestPauseMs, this.#lastMs / longestShare),
    );
    this.#timer.unref();
  }

  async #collect(): Promise<void> {
    this.#isWanted = false;
    const begun = performance.now();
    try {
      await this.#options.collect();
    } catch (error) {
      this.#options.log.error('garbage was not collected', { error: errorMessage(error) });
    }
    this.#lastMs = performance.now() - begun;
    this.#running = undefined;
    if (this.#isWanted) this.#plan();
  }
}
