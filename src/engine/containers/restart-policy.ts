import { errorMessage } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { save } from './save.ts';
import { launch } from './start.ts';

/** Docker's back-off (moby restartmanager): doubling from 100 ms to a minute; a run of 10 s begins anew. */
const firstDelayMs = 100;
const longestDelayMs = 60_000;
const steadyRunMs = 10_000;

export function shouldRestart({ document }: Container, exitCode: number): boolean {
  const { RestartPolicy: policy } = document.hostConfig;
  if (document.manuallyStopped) return false;
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.MaximumRetryCount === 0 || document.restartCount < policy.MaximumRetryCount);
    default:
      return false;
  }
}

/** Whether a container that is not running is to be started with the daemon. */
export function startsWithDaemon({ document }: Container): boolean {
  const { Name: name } = document.hostConfig.RestartPolicy;
  const wasUp = ['running', 'paused', 'restarting'].includes(document.lifecycle.status);
  if (name === 'always') return document.startedBefore;
  return name === 'unless-stopped' ? document.startedBefore && !document.manuallyStopped : name === 'on-failure' && wasUp;
}

/** The next start, after a pause; `stop` and `rm` cancel it. */
export function scheduleRestart(context: ContainerContext, container: Container, ranMs: number): void {
  const { restart } = container;
  restart.delayMs = restart.delayMs === 0 || ranMs >= steadyRunMs ? firstDelayMs : Math.min(restart.delayMs * 2, longestDelayMs);
  restart.timer = setTimeout(() => {
    restartNow(context, container).catch((error: unknown) =>
      context.log.warn('a container could not be restarted', { container: container.id, error: errorMessage(error) }),
    );
  }, restart.delayMs);
}

async function restartNow(context: ContainerContext, container: Container): Promise<void> {
  await container.mutex.run(async () => {
    if (container.lifecycle.status !== 'restarting') return;
    container.change({ restartCount: container.document.restartCount + 1 });
    await launch(context, container);
  });
}

/** Ends the waiting for a restart: the container is then exited. */
export async function cancelRestart(context: ContainerContext, container: Container): Promise<boolean> {
  const { lifecycle } = container;
  if (lifecycle.status !== 'restarting') return false;
  clearTimeout(container.restart.timer);
  container.change({ lifecycle: { ...lifecycle, status: 'exited' } });
  await save(context, container);
  container.tellStopped();
  return true;
}
