import type { V1Probe } from '../kubernetes.ts';
import type { ProbeAnswer } from './check.ts';

export interface ProberOptions {
  readonly probe: V1Probe;
  /** ms since the epoch: what the delay before the first probe counts from. */
  readonly startedAtMs: number;
  readonly check: (signal: AbortSignal) => Promise<ProbeAnswer>;
  /** So many in a row have said so. Called at each change alone. */
  readonly onResult: (passed: boolean, message: string) => void;
}

/** Asks at each period, until it is stopped; a probe that takes longer than its period holds the next one up. */
export class Prober implements Disposable {
  readonly #options: ProberOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #passed: boolean | undefined;
  /** How often in a row the last answer has come. */
  #run = 0;
  #last: ProbeAnswer['result'] | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    const delayMs = options.startedAtMs + (options.probe.initialDelaySeconds ?? 0) * 1000 - Date.now();
    // A clock that was set back holds nothing up for longer than the delay.
    this.#arm(Math.min(Math.max(delayMs, 0), (options.probe.initialDelaySeconds ?? 0) * 1000));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#round(), delayMs);
  }

  async #round(): Promise<void> {
    const begun = performance.now();
    const answer = await this.#options.check(this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    this.#count(answer);
    if (this.#stop.signal.aborted) return;
    this.#arm(Math.max(0, (this.#options.probe.periodSeconds ?? 10) * 1000 - (performance.now() - begun)));
  }

  #count({ result, message }: ProbeAnswer): void {
    if (result === 'unknown') return;
    this.#run = this.#last === result ? this.#run + 1 : 1;
    this.#last = result;
    const { successThreshold = 1, failureThreshold = 3 } = this.#options.probe;
    const passed = result === 'success';
    if (this.#run < (passed ? successThreshold : failureThreshold) || passed === this.#passed) return;
    this.#passed = passed;
    this.#options.onResult(passed, message);
  }
}
