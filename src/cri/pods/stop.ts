import { criRuntime } from '../../api/cri/index.ts';
import { both } from '../both.ts';
import { endContainer } from '../containers/stop.ts';
import type { CriContext } from '../context.ts';
import { podPaths } from '../paths.ts';
import { publishPodEvent } from './events.ts';
import { endPause } from './pause.ts';
import type { Pod } from './pod.ts';
import { podExtensions } from './pod-record.ts';

const { ContainerEventType: Event } = criRuntime;

/** Ends what runs in the pod, at once, and gives back what it has. Idempotent, and to be repeated when it fails. */
export async function stopPod(context: CriContext, pod: Pod, signal?: AbortSignal): Promise<void> {
  await pod.mutex.run(async () => await stopUnderMutex(context, pod, signal));
}

export async function stopUnderMutex(context: CriContext, pod: Pod, signal?: AbortSignal): Promise<void> {
  if (pod.state.status === 'ready') pod.state = { status: 'stopping' };
  // What gets its SIGKILL needs no network any more: its end is noted beside the work of plugins. They look at the namespace, which therefore stays until
  // they are done; after a restart of the machine there is none.
  await both(endAll(context, pod), context.network.delete(pod.id, signal));
  await context.namespaces.release(podPaths(context.paths, pod.id).namespaces);
  if (pod.state.status === 'stopped') return;
  pod.state = { status: 'stopped' };
  await context.core.sandboxes.update(pod.id, { extensions: podExtensions(pod) });
  publishPodEvent(context, pod, Event.CONTAINER_STOPPED_EVENT);
}

async function endAll(context: CriContext, pod: Pod): Promise<void> {
  await Promise.all(context.registry.containersOf(pod.id).map(async (container) => await endContainer(container, 0)));
  await endPause(context, pod.id);
}
