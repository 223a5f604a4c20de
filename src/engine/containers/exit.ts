import { errorMessage } from '../../base/index.ts';
import type { ExitStatus, Task } from '../../core/tasks/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { unmountImages } from './image-volumes.ts';
import { isRunning } from './lifecycle.ts';
import { publish } from './publish.ts';
import { removeUnderMutex } from './remove.ts';
import { scheduleRestart, shouldRestart } from './restart-policy.ts';
import { save } from './save.ts';
import { rfc3339Nano } from './time.ts';

/** The end of a run: state, network, event, then restart or removal, then whoever waits. */
export async function handleExit(context: ContainerContext, container: Container, task: Task, exit: ExitStatus): Promise<void> {
  await container.mutex.run(async () => {
    if (container.task !== task) return;
    const { lifecycle } = container;
    const startedAt = isRunning(lifecycle) ? lifecycle.startedAt : rfc3339Nano(exit.at.getTime());
    const wasToldOfOom = isRunning(lifecycle) && lifecycle.oomKilled === true;
    const end = { exitCode: exit.code, oomKilled: wasToldOfOom || exit.oomKilled, error: '', startedAt, finishedAt: rfc3339Nano(exit.at.getTime()) };
    const ranMs = Math.max(0, exit.at.getTime() - Date.parse(startedAt));
    const again = shouldRestart(container, exit.code);
    container.change({ lifecycle: { status: again ? 'restarting' : 'exited', ...end }, network: { endpoints: {}, ports: {} } });
    // Before the task's own record goes: a daemon that is killed in between must not lose the exit code.
    if (!container.document.hostConfig.AutoRemove) await save(context, container);
    await endTask(context, container, task);
    if (exit.oomKilled && !wasToldOfOom) publish(context, container, 'oom');
    publish(context, container, 'die', { exitCode: String(exit.code), execDuration: String(Math.floor(ranMs / 1000)) });
    if (container.document.hostConfig.AutoRemove) {
      container.tellExit({ exitCode: exit.code });
      container.tellStopped();
      await removeUnderMutex(context, container, { volumes: true });
      return;
    }
    container.tellExit({ exitCode: exit.code });
    container.tellStopped();
    if (again) scheduleRestart(context, container, ranMs);
  });
}

/** Takes away what the run had: the task with its record, the addresses, images that it had mounted. */
export async function endTask(context: ContainerContext, container: Container, task: Task): Promise<void> {
  container.task = undefined;
  const warn = (error: unknown) => context.log.warn('cleanup after the end of a container', { container: container.id, error: errorMessage(error) });
  await task.delete().catch(warn);
  await context.networks.disconnect(container.id).catch(warn);
  await unmountImages(context, container).catch(warn);
}
