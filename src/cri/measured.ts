import type { Container } from './containers/container.ts';
import type { CriContext } from './context.ts';
import type { Pod } from './pods/pod.ts';
import { podCgroup } from './spec/cgroup-path.ts';
import type { Measured, MeasuredContainer, MeasuredPod } from './stats/index.ts';

/** Pods and containers, as their figures are asked for. */
export function measuredOf({ registry, cgroups }: Pick<CriContext, 'registry' | 'cgroups'>): Measured {
  const measuredPod = (pod: Pod): MeasuredPod => {
    const { id, config, state } = pod;
    const { metadata, labels, annotations, linux } = config;
    return {
      attributes: { id, ...(metadata === undefined ? {} : { metadata }), labels, annotations },
      isReady: state.status === 'ready',
      cgroupPath: podCgroup(linux?.cgroupParent ?? '', cgroups.driver),
      containers: registry.containersOf(id).map(measuredContainer),
    };
  };
  return {
    pods: () => registry.pods.list().map(measuredPod),
    pod: (id) => measuredPod(registry.pods.get(id)),
    container: (id) => measuredContainer(registry.containers.get(id)),
  };
}

function measuredContainer({ id, podId, facts, lifecycle, task, resources }: Container): MeasuredContainer {
  const { metadata, labels, annotations, image } = facts.config;
  return {
    podId,
    attributes: { id, ...(metadata === undefined ? {} : { metadata }), labels, annotations },
    image: image?.userSpecifiedImage || image?.image || '',
    startedAt: 'startedAt' in lifecycle ? lifecycle.startedAt : 0n,
    task: lifecycle.status === 'running' ? task : undefined,
    resources,
    snapshotKey: id,
  };
}
