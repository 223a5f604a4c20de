import type { criContainer, criPod } from '../api/cri/index.ts';
import type { Container } from './containers/container.ts';
import { containerState } from './containers/status.ts';
import type { CriContext } from './context.ts';
import { hasLabels } from './labels.ts';
import type { Pod } from './pods/pod.ts';
import { podState } from './pods/status.ts';

/** All that is asked for must hold; an id may be the beginning of one. The newest come first. */
export function chosenPods({ registry }: Pick<CriContext, 'registry'>, filter: PodFilter | undefined): readonly Pod[] {
  const id = filter?.id ?? '';
  const pods = id === '' ? registry.pods.list() : [registry.pods.find(id)].filter((pod) => pod !== undefined);
  return pods
    .filter((pod) => (filter?.state === undefined || filter.state.state === podState(pod)) && hasLabels(pod.config.labels, filter?.labelSelector))
    .toSorted((a, b) => newest(a.facts.createdAt, b.facts.createdAt));
}

export function chosenContainers({ registry }: Pick<CriContext, 'registry'>, filter: ContainerFilter | undefined): readonly Container[] {
  const [id, podId] = [filter?.id ?? '', filter?.podSandboxId ?? ''];
  const pod = podId === '' ? undefined : (registry.pods.find(podId)?.id ?? podId);
  const containers = id === '' ? registry.containers.list() : [registry.containers.find(id)].filter((container) => container !== undefined);
  return containers
    .filter(
      (container) =>
        (pod === undefined || container.podId === pod) &&
        (filter?.state === undefined || filter.state.state === containerState(container)) &&
        hasLabels(container.facts.config.labels, filter?.labelSelector),
    )
    .toSorted((a, b) => newest(a.facts.createdAt, b.facts.createdAt));
}

type PodFilter = Pick<criPod.PodSandboxFilter, 'id' | 'labelSelector'> & { readonly state?: criPod.PodSandboxStateValue | undefined };
type ContainerFilter = Pick<criContainer.ContainerFilter, 'id' | 'podSandboxId' | 'labelSelector'> & {
  readonly state?: criContainer.ContainerStateValue | undefined;
};

function newest(a: bigint, b: bigint): number {
  return a === b ? 0 : a < b ? 1 : -1;
}
