import { criRuntime } from '../../api/cri/index.ts';
import { killContainer } from '../containers/stop.ts';
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
  const waits = await Promise.all(context.registry.containersOf(pod.id).map(async (container) => await killContainer(container)));
  // What has its SIGKILL needs no network any more: its end is noted beside the work of plugins. They look at the namespace, which therefore stays until
  // they are done; after a restart of the machine there is none.
  await both(noteEnds(context, pod, waits), context.network.delete(pod.id, signal));
  await context.namespaces.release(podPaths(context.paths, pod.id).namespaces);
  if (pod.state.status === 'stopped') return;
  pod.state = { status: 'stopped' };
  await context.core.sandboxes.update(pod.id, { extensions: podExtensions(pod) });
  publishPodEvent(context, pod, Event.CONTAINER_STOPPED_EVENT);
}

async function noteEnds(context: CriContext, pod: Pod, waits: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(waits.map(async (wait) => await wait()));
  await endPause(context, pod.id);
}

/** Resolves when both have ended, well or badly; throws the first's failure before the other's. */
async function both(...work: readonly [Promise<void>, Promise<void>]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}
