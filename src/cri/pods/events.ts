import type { criRuntime } from '../../api/cri/index.ts';
import { nowNs } from '../clock.ts';
import { containerStatus } from '../containers/status.ts';
import type { CriContext } from '../context.ts';
import type { Pod } from './pod.ts';
import { podStatus } from './status.ts';

/** Of the pod itself (its id stands for the container's), or of one of its containers. */
export function publishPodEvent(context: CriContext, pod: Pod, containerEventType: criRuntime.ContainerEventType, containerId = pod.id): void {
  context.events.publish(() => ({
    containerId,
    containerEventType,
    createdAt: nowNs(),
    podSandboxStatus: podStatus(pod),
    containersStatuses: context.registry.containersOf(pod.id).map(containerStatus),
  }));
}
