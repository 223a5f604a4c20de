import { errorMessage, StrakeError } from '../../base/index.ts';
import type { Attachment, Task } from '../../core/tasks/index.ts';
import type { Container, PendingAttachment } from './container.ts';
import type { ConnectedNetwork, ContainerContext } from './context.ts';
import { handleExit } from './exit.ts';
import { mountImages, unmountImages } from './image-volumes.ts';
import { isRunning, never } from './lifecycle.ts';
import { handleOomKill } from './oom-kill.ts';
import { publish } from './publish.ts';
import { removeUnderMutex } from './remove.ts';
import { save } from './save.ts';
import { runtimeFailure } from './start-failure.ts';
import { connectNetwork, taskRequest } from './task-request.ts';
import { nowMs, rfc3339Nano } from './time.ts';

/** False when it runs already. Resolves once the process runs, with every client that attached before on its streams. */
export async function startContainer(context: ContainerContext, reference: string): Promise<boolean> {
  const container = context.registry.get(reference);
  return await container.mutex.run(async () => {
    const { status } = container.lifecycle;
    if (status === 'paused') throw new StrakeError('FailedPrecondition', 'cannot start a paused container, try unpause instead');
    if (status === 'running') return false;
    if (status === 'removing' || status === 'dead') throw new StrakeError('FailedPrecondition', 'container is marked for removal and cannot be started');
    container.change({ manuallyStopped: false, restartCount: 0 });
    clearTimeout(container.restart.timer);
    container.restart.delayMs = 0;
    try {
      await launch(context, container);
    } catch (error) {
      if (container.document.hostConfig.AutoRemove) await removeUnderMutex(context, container, { volumes: true }).catch(() => undefined);
      throw error;
    }
    return true;
  });
}

/** Under the container's mutex. On failure the container is as before, with the error in its state. */
export async function launch(context: ContainerContext, container: Container): Promise<void> {
  let network: ConnectedNetwork | undefined;
  let task: Task | undefined;
  let waiting: readonly WaitingClient[] = [];
  try {
    network = await connectNetwork(context, container);
    await mountImages(context, container);
    task = await createTask(context, container, network);
    container.task = task;
    waiting = await attachPending(container, task);
    await startTask(task);
  } catch (error) {
    for (const { pending, attachment } of waiting) {
      attachment.close();
      pending.attached.reject(error);
    }
    await undoLaunch(context, container, task);
    throw await recordFailure(context, container, error);
  }
  const { pid } = task.state();
  container.change({
    lifecycle: { status: 'running', pid, startedAt: rfc3339Nano(nowMs()), finishedAt: finishedBefore(container) },
    network: network?.state ?? { endpoints: {}, ports: {} },
    startedBefore: true,
  });
  supervise(context, container, task);
  publish(context, container, 'start');
  await save(context, container);
  // After the answer to `start`: a client sets up its terminal between the two.
  setImmediate(() => {
    for (const { pending, attachment } of waiting) pending.attached.resolve(attachment);
  });
}

/** Hears of the end of the run, once, and of what is killed for memory before. */
export function supervise(context: ContainerContext, container: Container, task: Task): void {
  task.oomKills.listen(() => {
    handleOomKill(context, container, task).catch((error: unknown) =>
      context.log.error('a kill for memory could not be noted', { container: container.id, error: errorMessage(error) }),
    );
  });
  task
    .wait()
    .then(async (exit) => await handleExit(context, container, task, exit))
    .catch((error: unknown) => context.log.error('the end of a container could not be handled', { container: container.id, error: errorMessage(error) }));
}

async function createTask(context: ContainerContext, container: Container, network: ConnectedNetwork | undefined): Promise<Task> {
  // Those of an earlier run have been asked for by now.
  container.execs.clear();
  const request = await taskRequest(context, container, network);
  try {
    return await context.tasks.create(request);
  } catch (error) {
    throw new LaunchError(error);
  }
}

async function startTask(task: Task): Promise<void> {
  try {
    await task.start();
  } catch (error) {
    throw new LaunchError(error);
  }
}

/** The runtime's failure, as against one of ours before it. */
class LaunchError extends Error {
  constructor(cause: unknown) {
    super(errorMessage(cause), { cause });
  }
}

interface WaitingClient {
  readonly pending: PendingAttachment;
  readonly attachment: Attachment;
}

/** The clients that came before the process: on its streams before its first byte. */
async function attachPending(container: Container, task: Task): Promise<readonly WaitingClient[]> {
  const all = [...container.pendingAttachments];
  container.pendingAttachments.clear();
  const attached = await Promise.all(
    all.map(async (pending) => {
      try {
        return [{ pending, attachment: await task.attach(pending.options) }];
      } catch (error) {
        pending.attached.reject(error);
        return [];
      }
    }),
  );
  return attached.flat();
}

/** Nothing of a failed launch stays; the first failure is the one to tell. */
async function undoLaunch(context: ContainerContext, container: Container, task: Task | undefined): Promise<void> {
  container.task = undefined;
  const steps = [
    async () => await task?.delete(),
    async () => await context.networks.disconnect(container.id),
    async () => await unmountImages(context, container),
  ];
  for (const step of steps)
    await step().catch((error: unknown) => context.log.warn('cleanup after a failed start', { container: container.id, error: errorMessage(error) }));
}

async function recordFailure(context: ContainerContext, container: Container, cause: unknown): Promise<Error> {
  const { exitCode, error } =
    cause instanceof LaunchError ? runtimeFailure(cause.cause) : { exitCode: 128, error: cause instanceof Error ? cause : new Error(String(cause)) };
  const { lifecycle } = container;
  const message = error.message;
  const finishedAt = finishedBefore(container);
  container.change({
    lifecycle:
      lifecycle.status === 'created' || isRunning(lifecycle)
        ? { status: 'created', exitCode, error: message, finishedAt }
        : { status: 'exited', exitCode, error: message, oomKilled: false, startedAt: 'startedAt' in lifecycle ? lifecycle.startedAt : never, finishedAt },
    network: { endpoints: {}, ports: {} },
  });
  for (const pending of container.pendingAttachments) pending.attached.reject(error);
  container.pendingAttachments.clear();
  publish(context, container, 'die', { exitCode: String(exitCode) });
  container.tellExit({ exitCode });
  container.tellStopped();
  await save(context, container).catch(() => undefined);
  return error;
}

function finishedBefore({ lifecycle }: Container): string {
  return 'finishedAt' in lifecycle ? lifecycle.finishedAt : never;
}
