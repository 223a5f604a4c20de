import { existsSync } from 'node:fs';
import path from 'node:path';
import { discardDirectory, errorMessage, isCode, sweepDiscarded } from '../../base/index.ts';
import type { Task } from '../../core/tasks/index.ts';
import { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { type ContainerDocument, documentKey } from './document.ts';
import { endTask, handleExit } from './exit.ts';
import { unmountImages } from './image-volumes.ts';
import { ended, isRunning, type Lifecycle, never } from './lifecycle.ts';
import { publish } from './publish.ts';
import { documentOf, newRecord } from './record.ts';
import { removeUnderMutex } from './remove.ts';
import { startsWithDaemon } from './restart-policy.ts';
import { save } from './save.ts';
import { launch, supervise } from './start.ts';
import { rfc3339Nano } from './time.ts';

/** Docker's exit code for a container whose end nobody saw. */
const unseenExitCode = 255;

/**
 * After the task manager's own recovery: containers as the store has them, runs as they are. What ended meanwhile is handled as
 * if it ended now; what has no task any more has exited; restart policies and --rm do the rest.
 */
export async function recoverContainers(context: ContainerContext): Promise<void> {
  for (const record of await context.store.list()) {
    const document = documentOf(record);
    if (document === undefined || context.registry.find(record.id) !== undefined) continue;
    context.registry.add(new Container(record.id, document));
  }
  for (const task of context.tasks.list()) if (context.registry.find(task.id) === undefined) await adoptUnknown(context, task);
  await sweepDirectories(context);
  for (const container of context.registry.list()) {
    try {
      await recoverContainer(context, container);
    } catch (error) {
      context.log.error('a container could not be recovered', { container: container.id, error: errorMessage(error) });
    }
  }
}

/** The store has lost the container, yet it runs: the task knows what it was started as. */
async function adoptUnknown(context: ContainerContext, task: Task): Promise<void> {
  const document = (task.note as Readonly<Record<string, ContainerDocument | undefined>> | undefined)?.[documentKey];
  if (document === undefined) {
    context.log.warn('a task belongs to no container that is known', { task: task.id });
    return;
  }
  context.log.warn('a container that runs was lost from the store: it is taken in again', { container: task.id, name: document.name });
  await context.store.create(newRecord(context, task.id, document));
  context.registry.add(new Container(task.id, document));
}

/** Directories of containers that neither the store nor a task knows: the daemon died while it made or removed them. */
async function sweepDirectories({ directory, registry, tasks, log }: ContainerContext): Promise<void> {
  if (!existsSync(directory)) return;
  const known = new Set([...registry.list(), ...tasks.list()].map(({ id }) => id));
  for (const name of await sweepDiscarded(directory))
    if (!known.has(name))
      discardDirectory(path.join(directory, name), (error) => log.warn('a directory was not deleted', { container: name, error: errorMessage(error) }));
}

async function recoverContainer(context: ContainerContext, container: Container): Promise<void> {
  for (const mount of container.document.mounts) {
    if (mount.type !== 'volume') continue;
    try {
      context.volumes.acquire(mount.name, container.id);
    } catch (error) {
      context.log.warn('a volume of a container is gone', { container: container.id, volume: mount.name, error: errorMessage(error) });
    }
  }
  const task = findTask(context, container.id);
  const { lifecycle } = container;
  if (task !== undefined && isRecorded(lifecycle, task)) await endTask(context, container, task);
  else if (task !== undefined) {
    const state = task.state();
    container.task = task;
    if (state.status === 'stopped') {
      await handleExit(context, container, task, state.exit);
      return;
    }
    await context.networks.adopt?.(container.id, container.document.network);
    const startedAt = isRunning(lifecycle) ? lifecycle.startedAt : rfc3339Nano(Date.now());
    container.change({
      lifecycle: {
        status: state.status === 'paused' ? 'paused' : 'running',
        pid: state.pid,
        startedAt,
        finishedAt: 'finishedAt' in lifecycle ? lifecycle.finishedAt : never,
        oomKilled: isRunning(lifecycle) && lifecycle.oomKilled,
      },
      startedBefore: true,
    });
    supervise(context, container, task);
    return;
  }
  const starts = startsWithDaemon(container);
  await context.networks.disconnect(container.id);
  await unmountImages(context, container);
  if (isRunning(lifecycle) || lifecycle.status === 'restarting' || lifecycle.status === 'removing') await settleUnseen(context, container);
  if (starts && context.registry.find(container.id) !== undefined)
    await container.mutex
      .run(async () => await launch(context, container))
      .catch((error: unknown) => context.log.warn('a container could not be started with the daemon', { container: container.id, error: errorMessage(error) }));
}

/** The daemon was killed between noting the exit and taking the task away. */
function isRecorded(lifecycle: Lifecycle, task: Task): boolean {
  const state = task.state();
  return state.status === 'stopped' && !isRunning(lifecycle) && lifecycle.finishedAt === rfc3339Nano(state.exit.at.getTime());
}

/** The machine went down, or both daemon and monitor did. */
async function settleUnseen(context: ContainerContext, container: Container): Promise<void> {
  const { lifecycle } = container;
  const died = isRunning(lifecycle);
  const before = ended(lifecycle);
  container.change({ lifecycle: { ...before, status: 'exited', ...(died ? { exitCode: unseenExitCode, finishedAt: rfc3339Nano(Date.now()) } : {}) } });
  if (died) publish(context, container, 'die', { exitCode: String(unseenExitCode) });
  if (container.document.hostConfig.AutoRemove) await container.mutex.run(async () => await removeUnderMutex(context, container, { volumes: true }));
  else await save(context, container);
}

function findTask({ tasks }: ContainerContext, id: string) {
  try {
    return tasks.get(id);
  } catch (error) {
    if (isCode(error, 'NotFound')) return undefined;
    throw error;
  }
}
