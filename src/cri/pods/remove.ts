import { criRuntime } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import { removeUnderMutex as removeContainer } from '../containers/remove.ts';
import type { CriContext } from '../context.ts';
import { discarded } from '../discarded.ts';
import { podPaths } from '../paths.ts';
import { publishPodEvent } from './events.ts';
import type { Pod } from './pod.ts';
import { stopUnderMutex } from './stop.ts';

const { ContainerEventType: Event } = criRuntime;

/** The pod and its containers, whether they run or not. To be repeated when it fails. */
export async function removePod(context: CriContext, pod: Pod, signal?: AbortSignal): Promise<void> {
  await pod.mutex.run(async () => {
    if (context.registry.pods.find(pod.id) === undefined) return;
    await stopUnderMutex(context, pod, signal);
    for (const container of context.registry.containersOf(pod.id)) await container.mutex.run(async () => await removeContainer(context, container));
    try {
      await context.core.sandboxes.delete(pod.id);
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
    context.registry.pods.remove(pod);
    discarded(context, podPaths(context.paths, pod.id).directory);
    publishPodEvent(context, pod, Event.CONTAINER_DELETED_EVENT);
  });
}
