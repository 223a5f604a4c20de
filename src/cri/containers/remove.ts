import { criRuntime } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import type { CriContext } from '../context.ts';
import { publishPodEvent } from '../pods/events.ts';
import type { Container } from './container.ts';
import { discardContainerFiles } from './create.ts';
import { takeImageMounts } from './image-mounts.ts';
import { endContainer } from './stop.ts';

/** The container, whether it runs or not. To be repeated when it fails. */
export async function removeContainer(context: CriContext, container: Container, signal?: AbortSignal): Promise<void> {
  await endContainer(container, 0, signal);
  await container.mutex.run(async () => await removeUnderMutex(context, container));
}

/** Of one that does not run. */
export async function removeUnderMutex(context: CriContext, container: Container): Promise<void> {
  const { registry, core } = context;
  if (registry.containers.find(container.id) === undefined) return;
  await container.ended;
  await takeImageMounts(context, container.id);
  await absentIsFine(async () => await core.snapshots.remove(container.id));
  await absentIsFine(async () => await core.containers.delete(container.id));
  registry.containers.remove(container);
  discardContainerFiles(context, container.id);
  const pod = registry.pods.find(container.podId);
  if (pod !== undefined) publishPodEvent(context, pod, criRuntime.ContainerEventType.CONTAINER_DELETED_EVENT, container.id);
}

async function absentIsFine(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
  }
}
