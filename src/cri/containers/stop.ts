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
  if (timeoutSeconds > 0 && (await runs(container))) {
    await send(container, signalNumber(container.facts.stopSignal));
    if (await within(container.ended, timeoutSeconds * 1000, signal)) return;
    signal?.throwIfAborted();
  }
  if (!(await runs(container))) return await container.ended;
  await send(container, sigkill);
  if (await within(container.ended, killTimeoutMs, signal)) return;
  signal?.throwIfAborted();
  throw refused('DeadlineExceeded', `container ${JSON.stringify(container.id)} did not end within ${killTimeoutMs} ms of SIGKILL`, {
    container: container.id,
  });
}

/** Whether it runs; a start on its way is over first. */
async function runs(container: Container): Promise<boolean> {
  await container.mutex.run(async () => undefined);
  return container.task !== undefined && container.lifecycle.status === 'running';
}

async function send({ task }: Container, number: number): Promise<void> {
  try {
    await task?.kill(number);
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!isCode(error, 'NotFound')) throw error;
  }
}
