import { isCode } from '../../base/index.ts';
import { refused } from '../refusals.ts';
import { sigkill, signalNumber } from '../signals.ts';
import type { Container } from './container.ts';
import { within } from './within.ts';

/** After SIGKILL: the kernel may wait for a disk. */
const killTimeoutMs = 120_000;

/**
 * Ends what runs of the container: by its stop signal, and when that has not ended it in time by SIGKILL. No error when it does not run. Two of these
 * may go on at the same time: the one with less patience wins.
 */
export async function endContainer(container: Container, timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
  // A start on its way is over first.
  await container.mutex.run(async () => undefined);
  const { task } = container;
  if (task === undefined || container.lifecycle.status !== 'running') {
    await container.ended;
    return;
  }
  if (timeoutSeconds > 0) {
    await kill(signalNumber(container.facts.stopSignal));
    if (await within(container.ended, timeoutSeconds * 1000, signal)) return;
    signal?.throwIfAborted();
  }
  await kill(sigkill);
  if (await within(container.ended, killTimeoutMs, signal)) return;
  signal?.throwIfAborted();
  throw refused('DeadlineExceeded', `container ${JSON.stringify(container.id)} did not end within ${killTimeoutMs} ms of SIGKILL`, { container: container.id });

  async function kill(number: number): Promise<void> {
    try {
      await task?.kill(number);
    } catch (error) {
      // It has ended by itself meanwhile.
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
}
