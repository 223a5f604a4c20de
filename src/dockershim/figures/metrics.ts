import type { MessageInitShape } from '@bufbuild/protobuf';
import { criMetrics, type criStats } from '../../api/cri/index.ts';

type PodStats = MessageInitShape<typeof criStats.PodSandboxStatsSchema>;
type ContainerStats = MessageInitShape<typeof criStats.ContainerStatsSchema>;
type Metric = MessageInitShape<typeof criMetrics.MetricSchema>;

interface Measure<Stats> {
  readonly name: string;
  readonly help: string;
  readonly type: criMetrics.MetricType;
  readonly labelKeys: readonly string[];
  readonly values: (stats: Stats) => readonly { readonly labels?: readonly string[]; readonly value: bigint | undefined }[];
}

const { COUNTER, GAUGE } = criMetrics.MetricType;
/** In the order of containerd's CRI. */
const common = ['pod', 'namespace', 'container', 'id', 'image'];

/** cAdvisor's names, of what the engine measures. */
const ofContainers: readonly Measure<ContainerStats>[] = [
  one('container_cpu_usage_seconds_total', 'Processor time, in seconds', COUNTER, ({ cpu }) => seconds(cpu?.usageCoreNanoSeconds?.value)),
  one('container_memory_usage_bytes', 'Memory, with all caches, in bytes', GAUGE, ({ memory }) => memory?.usageBytes?.value),
  one('container_memory_working_set_bytes', 'Memory that cannot be taken back at once, in bytes', GAUGE, ({ memory }) => memory?.workingSetBytes?.value),
  one('container_memory_rss', 'Anonymous memory, in bytes', GAUGE, ({ memory }) => memory?.rssBytes?.value),
  one('container_fs_usage_bytes', 'What was written to the root file system, in bytes', GAUGE, ({ writableLayer }) => writableLayer?.usedBytes?.value),
];
const ofPods: readonly Measure<PodStats>[] = [
  ofInterfaces('container_network_receive_bytes_total', 'Bytes received', ({ rxBytes }) => rxBytes?.value),
  ofInterfaces('container_network_receive_errors_total', 'Errors while receiving', ({ rxErrors }) => rxErrors?.value),
  ofInterfaces('container_network_transmit_bytes_total', 'Bytes sent', ({ txBytes }) => txBytes?.value),
  ofInterfaces('container_network_transmit_errors_total', 'Errors while sending', ({ txErrors }) => txErrors?.value),
];

export function metricDescriptors(): MessageInitShape<typeof criMetrics.MetricDescriptorSchema>[] {
  return [...ofContainers, ...ofPods].map(({ name, help, labelKeys }) => ({ name, help, labelKeys: [...labelKeys] }));
}

/** `images`: of containers, by their id. */
export function podMetrics(pod: PodStats, images: ReadonlyMap<string, string>): MessageInitShape<typeof criMetrics.PodSandboxMetricsSchema> {
  const { id = '', metadata } = pod.attributes ?? {};
  const podLabels = [metadata?.name ?? '', metadata?.namespace ?? ''];
  const containers = (pod.linux?.containers ?? []) as readonly ContainerStats[];
  return {
    podSandboxId: id,
    metrics: measured(ofPods, pod, [...podLabels, '', id, ''], pod.linux?.cpu?.timestamp ?? 0n),
    containerMetrics: containers.map((container) => {
      const { id: containerId = '', metadata: named } = container.attributes ?? {};
      const labels = [...podLabels, named?.name ?? '', containerId, images.get(containerId) ?? ''];
      return { containerId, metrics: measured(ofContainers, container, labels, container.cpu?.timestamp ?? 0n) };
    }),
  };
}

function measured<Stats>(measures: readonly Measure<Stats>[], stats: Stats, object: readonly string[], timestamp: bigint): Metric[] {
  return measures.flatMap(({ name, type, values }) =>
    values(stats).flatMap(({ labels = [], value }) =>
      value === undefined ? [] : [{ name, timestamp, metricType: type, labelValues: [...object, ...labels], value: { value } }],
    ),
  );
}

function one(name: string, help: string, type: criMetrics.MetricType, value: (stats: ContainerStats) => bigint | undefined): Measure<ContainerStats> {
  return { name, help, type, labelKeys: common, values: (stats) => [{ value: value(stats) }] };
}

type Interface = MessageInitShape<typeof criStats.NetworkInterfaceUsageSchema>;

function ofInterfaces(name: string, help: string, value: (stats: Interface) => bigint | undefined): Measure<PodStats> {
  const values = ({ linux }: PodStats) =>
    ((linux?.network?.interfaces ?? []) as readonly Interface[]).map((each) => ({ labels: [each.name ?? ''], value: value(each) }));
  return { name, help, type: COUNTER, labelKeys: [...common, 'interface'], values };
}

function seconds(nanoseconds: bigint | undefined): bigint | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / 1_000_000_000n;
}
