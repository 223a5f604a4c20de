import { errorMessage, isCode, StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { kill, stopSignal } from './kill.ts';
import { publish } from './publish.ts';
import { cancelRestart } from './restart-policy.ts';
import { save } from './save.ts';
import { parseSignal, sigkill } from './signals.ts';
import { startContainer } from './start.ts';
import { stopped } from './wait.ts';

export interface StopOptions {
  /** Seconds until SIGKILL; negative: never; undefined: the container's own, else 10. */
  readonly timeoutSeconds?: number;
  /** Instead of the container's own. */
  readonly signal: string;
}

const defaultTimeoutSeconds = 10;
const killTimeoutMs = 10_000;

/** False when it does not run. */
export async function stopContainer(context: ContainerContext, reference: string, options: StopOptions): Promise<boolean> {
  const container = context.registry.get(reference);
  if (container.lifecycle.status === 'restarting') {
    container.change({ manuallyStopped: true });
    if (await container.mutex.run(async () => await cancelRestart(context, container))) return true;
  }
  if (!container.running) return false;
  container.change({ manuallyStopped: true });
  await endRun(context, container, reference, options);
  publish(context, container, 'stop');
  return true;
}

export async function restartContainer(context: ContainerContext, reference: string, options: StopOptions): Promise<void> {
  const container = context.registry.get(reference);
  const { AutoRemove: autoRemove } = container.document.hostConfig;
  // Not to be taken away between the two halves.
  if (autoRemove) container.change({ hostConfig: { ...container.document.hostConfig, AutoRemove: false } });
  try {
    await stopContainer(context, container.id, options);
    await startContainer(context, container.id);
  } finally {
    if (autoRemove) {
      container.change({ hostConfig: { ...container.document.hostConfig, AutoRemove: true } });
      await save(context, container).catch((error: unknown) =>
        context.log.warn('a container could not be saved', { container: container.id, error: errorMessage(error) }),
      );
    }
  }
  publish(context, container, 'restart');
}

async function endRun(context: ContainerContext, container: Container, reference: string, options: StopOptions): Promise<void> {
  const seconds = options.timeoutSeconds ?? container.document.config.StopTimeout ?? defaultTimeoutSeconds;
  const signal = options.signal === '' ? stopSignal(container) : parseSignal(options.signal);
  const polite = stopped(container, seconds < 0 ? undefined : seconds * 1000);
  try {
    await kill(context, container, signal);
    if (await polite) return;
    const end = stopped(container, killTimeoutMs);
    await kill(context, container, sigkill);
    if (await end) return;
  } catch (error) {
    // It ended by itself meanwhile.
    if (isCode(error, 'NotFound')) return;
    throw error;
  }
  throw new StrakeError('Internal', `cannot stop container: ${reference}: it did not end within ${killTimeoutMs} ms of SIGKILL`);
}
