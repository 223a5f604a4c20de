import { discardDirectory, errorMessage, isCode, StrakeError } from '../../base/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { releaseImages, unmountImages } from './image-volumes.ts';
import { kill } from './kill.ts';
import { ended } from './lifecycle.ts';
import { containerPaths } from './paths.ts';
import { publish } from './publish.ts';
import { cancelRestart } from './restart-policy.ts';
import { sigkill } from './signals.ts';
import { stopped } from './wait.ts';

export interface RemoveOptions {
  readonly force: boolean;
  /** Its anonymous volumes too. */
  readonly volumes: boolean;
}

const forceTimeoutMs = 10_000;

/** FailedPrecondition while it runs, unless forced; texts are moby's (daemon/delete.go). */
export async function removeContainer(context: ContainerContext, reference: string, options: RemoveOptions): Promise<void> {
  const container = context.registry.get(reference);
  const { status } = container.lifecycle;
  if (status === 'removing') throw new StrakeError('FailedPrecondition', `removal of container ${reference} is already in progress`);
  if (!options.force && ['running', 'paused', 'restarting'].includes(status)) {
    const what =
      status === 'paused' ? 'container is paused and must be unpaused first' : `container is ${status}: stop the container before removing or force remove`;
    throw new StrakeError('FailedPrecondition', `cannot remove container "${reference}": ${what}`);
  }
  container.change({ manuallyStopped: true });
  if (container.running) {
    const end = stopped(container, forceTimeoutMs);
    await kill(context, container, sigkill).catch((error: unknown) => {
      if (!isCode(error, 'NotFound')) throw error;
    });
    if (!(await end)) throw new StrakeError('Internal', `could not kill container "/${container.name}": it did not end within ${forceTimeoutMs} ms`);
  }
  await container.mutex.run(async () => {
    if (context.registry.find(container.id) !== container) return;
    await cancelRestart(context, container);
    if (container.running)
      throw new StrakeError(
        'FailedPrecondition',
        `cannot remove container "${reference}": container is running: stop the container before removing or force remove`,
      );
    await removeUnderMutex(context, container, options);
  });
}

/** Takes everything of the container away. When a step fails the container is `dead` and can be removed again. */
export async function removeUnderMutex(context: ContainerContext, container: Container, { volumes }: Pick<RemoveOptions, 'volumes'>): Promise<void> {
  const before = ended(container.lifecycle);
  container.change({ lifecycle: { status: 'removing', ...before } });
  try {
    await context.snapshots.remove(container.id).catch((error: unknown) => {
      if (!isCode(error, 'NotFound')) throw error;
    });
    discardDirectory(containerPaths(context, container).directory, (error) =>
      context.log.warn('a container directory was not deleted', { container: container.id, error: errorMessage(error) }),
    );
    await unmountImages(context, container);
    await releaseImages(context, container.id, container.document.mounts);
    await releaseVolumes(context, container, volumes);
    await context.store.delete(container.id).catch((error: unknown) => {
      if (!isCode(error, 'NotFound')) throw error;
    });
  } catch (error) {
    container.change({ lifecycle: { status: 'dead', ...before, error: errorMessage(error) } });
    container.tellRemoved({ exitCode: before.exitCode, error: errorMessage(error) });
    throw error;
  }
  context.registry.remove(container);
  for (const pending of container.pendingAttachments) pending.attached.reject(new StrakeError('NotFound', `No such container: ${container.id}`));
  publish(context, container, 'destroy');
  container.tellRemoved({ exitCode: before.exitCode });
}

async function releaseVolumes(context: ContainerContext, container: Container, remove: boolean): Promise<void> {
  for (const mount of container.document.mounts) {
    if (mount.type !== 'volume') continue;
    context.volumes.release(mount.name, container.id);
    if (!remove || !context.volumes.isAnonymous(mount.name)) continue;
    await context.volumes.remove(mount.name, { force: true }).catch((error: unknown) => {
      // Another container has it.
      if (!isCode(error, 'FailedPrecondition')) throw error;
    });
  }
}
