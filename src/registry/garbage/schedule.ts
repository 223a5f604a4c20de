import { errorMessage, type Logger } from '../../base/index.ts';
import { collectGarbage, type GarbageOptions, type GarbageReport } from './collect.ts';

export interface GarbageSchedule extends Omit<GarbageOptions, 'signal'> {
  readonly intervalMs: number;
  readonly log: Logger;
  readonly onReport?: (report: GarbageReport) => void;
}

/** Collects garbage again and again, `intervalMs` after the last time was done, until it is disposed. */
export function scheduleGarbage({ intervalMs, log, onReport, ...options }: GarbageSchedule): AsyncDisposable {
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const collect = async () => {
    try {
      const report = await collectGarbage({ ...options, signal: stopped.signal });
      onReport?.(report);
      if (Object.values(report).some((count) => count > 0)) log.info('garbage collected', { ...report });
    } catch (error) {
      log.error(`garbage collection failed: ${errorMessage(error)}`);
    }
    plan();
  };
  const plan = () => {
    if (stopped.signal.aborted) return;
    timer = setTimeout(() => {
      running = collect();
    }, intervalMs);
    timer.unref();
  };
  plan();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
