import { StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { publish } from './publish.ts';
import { cancelRestart } from './restart-policy.ts';
import { parseSignal, sigkill, sigterm } from './signals.ts';
import { stopped } from './wait.ts';

const killTimeoutMs = 10_000;

/** `docker kill`: SIGKILL is waited for, any other signal only sent. */
export async function killContainer(context: ContainerContext, reference: string, signalText: string): Promise<void> {
  const signal = signalText === '' ? sigkill : parseSignal(signalText);
  const container = context.registry.get(reference);
  if (container.lifecycle.status === 'restarting') {
    container.change({ manuallyStopped: true });
    await container.mutex.run(async () => await cancelRestart(context, container));
    return;
  }
  if (!container.running) throw new StrakeError('FailedPrecondition', `cannot kill container: ${reference}: container ${container.id} is not running`);
  const ends = signal === sigkill || signal === stopSignal(container);
  if (ends) container.change({ manuallyStopped: true });
  const end = signal === sigkill ? stopped(container, killTimeoutMs) : undefined;
  await kill(context, container, signal);
  if (end !== undefined && !(await end)) throw new StrakeError('Internal', `cannot kill container: ${reference}: it did not end within ${killTimeoutMs} ms`);
}

export async function kill(context: ContainerContext, container: Container, signal: number): Promise<void> {
  const { task } = container;
  if (task === undefined) throw new StrakeError('NotFound', `container ${container.id} is not running`);
  await task.kill(signal);
  publish(context, container, 'kill', { signal: String(signal) });
  // What is to end it must reach it: a frozen process hears nothing (moby killWithSignal).
  const { lifecycle } = container;
  if (lifecycle.status !== 'paused' || (signal !== sigkill && signal !== stopSignal(container))) return;
  container.change({ lifecycle: { ...lifecycle, status: 'running' } });
  if (task.state().status === 'paused') await task.resume().catch(() => undefined);
}

export function stopSignal({ document: { config } }: Container): number {
  return config.StopSignal === undefined || config.StopSignal === '' ? sigterm : parseSignal(config.StopSignal);
}
