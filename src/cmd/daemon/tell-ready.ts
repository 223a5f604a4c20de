import { writeSync } from 'node:fs';
import { errorMessage, type Logger } from '../../base/index.ts';

/** Whoever started the daemon may be gone, which is no reason to end. */
export function tellReady(descriptor: number | undefined, log: Logger): void {
  if (descriptor === undefined) return;
  try {
    writeSync(descriptor, 'ready\n');
  } catch (error) {
    log.debug('nobody waits for readiness', { error: errorMessage(error) });
  }
}
