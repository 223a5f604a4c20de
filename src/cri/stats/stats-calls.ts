import { type criRuntime, metricDescriptors } from '../../api/cri/index.ts';
import { inTurns } from '../../base/index.ts';
import type { ServiceImpl } from '../../rpc/grpc/index.ts';
import { hasLabels } from '../labels.ts';
import type { Measured, MeasuredContainer, MeasuredPod } from './measured.ts';
import { Meter, type MeterOptions } from './meter.ts';
import { podMetrics } from './metrics.ts';

type StatsCalls = Pick<
  ServiceImpl<typeof criRuntime.RuntimeService>,
  | 'containerStats'
  | 'listContainerStats'
  | 'streamContainerStats'
  | 'podSandboxStats'
  | 'listPodSandboxStats'
  | 'streamPodSandboxStats'
  | 'listMetricDescriptors'
  | 'listPodSandboxMetrics'
  | 'streamPodSandboxMetrics'
>;

/** So many pods are read at the same time: each reads some twenty files a container. */
const atOnce = 4;

/** The calls of the runtime service that tell figures. The streams tell one pod, or the containers of one, in each message. */
export function statsCalls(measured: Measured, options: MeterOptions): StatsCalls {
  const meter = new Meter(options);
  const metricsOf = async (pod: MeasuredPod) => await podMetrics(pod, meter, options.fileSystemPath);
  const pods = (filter?: Filter) => {
    const all = measured.pods();
    meter.retain(all);
    return all.filter((pod) => pod.isReady && matches(pod.attributes, filter));
  };
  const containers = (filter?: Filter & { readonly podSandboxId: string }) =>
    measured
      .pods()
      .filter(({ attributes }) => (filter?.podSandboxId ?? '') === '' || attributes.id.startsWith(filter?.podSandboxId ?? ''))
      .map((pod) => pod.containers.filter((container) => container.task !== undefined && matches(container.attributes, filter)));
  const statsOf = async (group: readonly MeasuredContainer[]) => await Promise.all(group.map(async (container) => await meter.container(container)));
  return {
    async containerStats({ containerId }) {
      return { stats: await meter.container(measured.container(containerId)) };
    },
    async listContainerStats({ filter }) {
      return { stats: (await Array.fromAsync(inTurns(containers(filter), atOnce, statsOf))).flat() };
    },
    async *streamContainerStats({ filter }) {
      for await (const containerStats of inTurns(containers(filter), atOnce, statsOf)) if (containerStats.length > 0) yield { containerStats };
    },
    async podSandboxStats({ podSandboxId }) {
      return { stats: await meter.pod(measured.pod(podSandboxId)) };
    },
    async listPodSandboxStats({ filter }) {
      return { stats: await Array.fromAsync(inTurns(pods(filter), atOnce, async (pod) => await meter.pod(pod))) };
    },
    async *streamPodSandboxStats({ filter }) {
      for await (const stats of inTurns(pods(filter), atOnce, async (pod) => await meter.pod(pod))) yield { podSandboxStats: [stats] };
    },
    listMetricDescriptors() {
      return { descriptors: [...metricDescriptors] };
    },
    async listPodSandboxMetrics() {
      return { podMetrics: await Array.fromAsync(inTurns(pods(), atOnce, metricsOf)) };
    },
    async *streamPodSandboxMetrics() {
      for await (const metrics of inTurns(pods(), atOnce, metricsOf)) yield { podSandboxMetrics: [metrics] };
    },
  };
}

interface Filter {
  readonly id: string;
  readonly labelSelector: Readonly<Record<string, string>>;
}

function matches({ id, labels = {} }: { readonly id: string; readonly labels?: Readonly<Record<string, string>> }, filter: Filter | undefined): boolean {
  if (filter === undefined) return true;
  return id.startsWith(filter.id) && hasLabels(labels, filter.labelSelector);
}
