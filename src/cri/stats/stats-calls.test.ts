import { expect, test } from 'bun:test';
import { create } from '@bufbuild/protobuf';
import { criLinux, criMetrics, criRuntime, metricDescriptors } from '../../api/cri/index.ts';
import { openFiles, openFilesLimit, StrakeError } from '../../base/index.ts';
import type { TaskStats } from '../../core/tasks/index.ts';
import type { HandlerContext } from '../../rpc/grpc/index.ts';
import { CpuRates } from './cpu-rates.ts';
import type { MeasuredContainer, MeasuredPod } from './measured.ts';
import { statsCalls } from './stats-calls.ts';

const mebibyte = 1n << 20n;

const stats: TaskStats = {
  readAt: new Date(5_000),
  cpu: { usageNs: 7_000_000_000n, userNs: 4_000_000_000n, kernelNs: 3_000_000_000n, perCpuNs: [], throttlePeriods: 9n, throttledPeriods: 2n, throttledNs: 0n },
  memory: {
    usageBytes: 10n * mebibyte,
    maxUsageBytes: 12n * mebibyte,
    limitBytes: 64n * mebibyte,
    failCount: 1n,
    swapBytes: mebibyte,
    kernelBytes: undefined,
    oomKills: 3n,
    stat: { inactive_file: 1n, total_inactive_file: 4n * mebibyte, total_rss: 5n * mebibyte, total_pgfault: 70n, total_pgmajfault: 8n },
  },
  pressure: { cpu: { some: { totalNs: 2_500_000_000n, averages: [1, 2, 3] }, full: { totalNs: 0n, averages: [0, 0, 0] } } },
  pids: { current: 4n, limit: undefined },
  blkio: [{ major: 7, minor: 0, op: 'Write', bytes: 4096n, ios: 1n }],
};

const unlimited: TaskStats = { ...stats, memory: { ...stats.memory, limitBytes: 2n ** 64n - 1n, swapBytes: undefined }, pressure: {} };

function container(id: string, podId: string, read: (() => Promise<TaskStats>) | undefined, labels: Record<string, string> = {}): MeasuredContainer {
  return {
    podId,
    attributes: { id, metadata: { name: `name-of-${id}`, attempt: 0 }, labels, annotations: {} },
    image: 'busybox',
    startedAt: 3_000_000_000n,
    task: read === undefined ? undefined : { stats: read, pids: async () => [process.pid], state: () => ({ status: 'running', pid: process.pid }) },
    resources: create(criLinux.LinuxContainerResourcesSchema, { cpuQuota: 20_000n, memoryLimitInBytes: 64n * mebibyte }),
    snapshotKey: id,
  };
}

function pod(id: string, containers: readonly MeasuredContainer[], change: Partial<MeasuredPod> = {}): MeasuredPod {
  const metadata = { name: `name-of-${id}`, namespace: 'default', uid: 'u', attempt: 0 };
  return { attributes: { id, metadata, labels: {}, annotations: {} }, isReady: true, cgroupPath: '/pods/one', containers, ...change };
}

const gone = async (): Promise<never> => {
  throw new StrakeError('NotFound', 'no such task');
};

const pods: readonly MeasuredPod[] = [
  pod('p1', [container('c1', 'p1', async () => stats, { tier: 'web' }), container('c2', 'p1', undefined), container('c3', 'p1', gone)]),
  pod('p2', [container('d1', 'p2', async () => unlimited)], { cgroupPath: undefined }),
  pod('p3', [], { isReady: false }),
];

const find = <T extends { readonly attributes: { readonly id: string } }>(all: readonly T[], id: string): T => {
  const found = all.find(({ attributes }) => attributes.id === id);
  if (found === undefined) throw new StrakeError('NotFound', `${id}: not found`);
  return found;
};

const calls = () =>
  statsCalls(
    {
      pods: () => pods,
      pod: (id) => find(pods, id),
      container: (id) =>
        find(
          pods.flatMap(({ containers }) => containers),
          id,
        ),
    },
    {
      usages: { of: async (key) => (key === 'c3' ? await gone() : { sizeBytes: 8192, inodes: 2, at: 4_000 }) },
      fileSystemPath: '/tmp',
      readCgroup: async () => unlimited,
      readInterfaces: () => new Map([['eth0', { rxBytes: 1, rxPackets: 2, rxErrors: 3, rxDropped: 4, txBytes: 5, txPackets: 6, txErrors: 7, txDropped: 8 }]]),
    },
  );

const context = {} as HandlerContext;
const filter = (id: string, podSandboxId = '', labelSelector: Record<string, string> = {}) =>
  create(criRuntime.ListContainerStatsRequestSchema, { filter: { id, podSandboxId, labelSelector } });

test('a container’s figures: what is used, what is left of a limit, what was written', async () => {
  const answer = await calls().containerStats(create(criRuntime.ContainerStatsRequestSchema, { containerId: 'c1' }), context);
  const timestamp = 5_000_000_000n;
  expect(answer.stats).toEqual({
    attributes: pods[0]?.containers[0]?.attributes as never,
    cpu: {
      timestamp,
      usageCoreNanoSeconds: { value: 7_000_000_000n },
      psi: { Some: { Total: 2_500_000_000n, Avg10: 1, Avg60: 2, Avg300: 3 }, Full: { Total: 0n, Avg10: 0, Avg60: 0, Avg300: 0 } },
    },
    memory: {
      timestamp,
      workingSetBytes: { value: 6n * mebibyte },
      availableBytes: { value: 58n * mebibyte },
      usageBytes: { value: 10n * mebibyte },
      rssBytes: { value: 5n * mebibyte },
      pageFaults: { value: 70n },
      majorPageFaults: { value: 8n },
    },
    swap: { timestamp, swapUsageBytes: { value: mebibyte } },
    writableLayer: { timestamp: 4_000_000_000n, fsId: { mountpoint: '/tmp' }, usedBytes: { value: 8192n }, inodesUsed: { value: 2n } },
  });
});

test.each([
  ['all that run', filter(''), ['c1', 'c3', 'd1']],
  ['of a pod', filter('', 'p1'), ['c1', 'c3']],
  ['by the beginning of an id', filter('d'), ['d1']],
  ['by a label', filter('', '', { tier: 'web' }), ['c1']],
  ['of a pod that has none', filter('', 'p3'), []],
])('containers: %s', async (_, request, expected) => {
  const { listContainerStats, streamContainerStats } = calls();
  const listed = (await listContainerStats(request, context)).stats ?? [];
  expect(listed.map(({ attributes }) => attributes?.id)).toEqual(expected);
  const streamed = await Array.fromAsync(
    streamContainerStats(create(criRuntime.StreamContainerStatsRequestSchema, { filter: request.filter as never }), context),
  );
  expect(streamed.flatMap(({ containerStats = [] }) => containerStats.map(({ attributes }) => attributes?.id))).toEqual(expected);
});

test('a pod’s figures are those of its cgroup, its network, and its containers; one that is not ready has none', async () => {
  const { podSandboxStats, listPodSandboxStats, streamPodSandboxStats } = calls();
  const { stats: answered } = await podSandboxStats(create(criRuntime.PodSandboxStatsRequestSchema, { podSandboxId: 'p1' }), context);
  const eth0 = { name: 'eth0', rxBytes: { value: 1n }, rxErrors: { value: 3n }, txBytes: { value: 5n }, txErrors: { value: 7n } };
  expect(answered?.linux).toMatchObject({
    memory: { availableBytes: { value: 0n }, workingSetBytes: { value: 6n * mebibyte } },
    network: { defaultInterface: eth0, interfaces: [eth0] },
    process: { processCount: { value: 2n } },
  });
  expect(answered?.linux?.containers?.map(({ attributes, cpu }) => [attributes?.id, cpu !== undefined])).toEqual([
    ['c1', true],
    ['c2', false],
    ['c3', false],
  ]);
  const ids = (all: readonly { readonly attributes?: { readonly id?: string } | undefined }[]) => all.map(({ attributes }) => attributes?.id);
  expect(ids((await listPodSandboxStats(create(criRuntime.ListPodSandboxStatsRequestSchema), context)).stats ?? [])).toEqual(['p1', 'p2']);
  const streamed = await Array.fromAsync(streamPodSandboxStats(create(criRuntime.StreamPodSandboxStatsRequestSchema), context));
  expect(streamed.flatMap(({ podSandboxStats: some = [] }) => ids(some))).toEqual(['p1', 'p2']);
});

test('each metric is described, and has a value for each of its labels', async () => {
  const { listMetricDescriptors, listPodSandboxMetrics, streamPodSandboxMetrics } = calls();
  const { podMetrics = [] } = await listPodSandboxMetrics(create(criRuntime.ListPodSandboxMetricsRequestSchema), context);
  expect(podMetrics.map(({ podSandboxId }) => podSandboxId)).toEqual(['p1', 'p2']);
  const [first] = podMetrics;
  const metrics = [...(first?.metrics ?? []), ...(first?.containerMetrics?.find(({ containerId }) => containerId === 'c1')?.metrics ?? [])];
  const named = new Map(metrics.map((metric) => [metric.name ?? '', metric]));
  const { descriptors = [] } = await listMetricDescriptors(create(criRuntime.ListMetricDescriptorsRequestSchema), context);
  expect(descriptors).toEqual(metricDescriptors as never);
  for (const { name, labelKeys } of metricDescriptors) {
    // No memory or device was waited for, and nothing was read.
    if (/pressure_(memory|io)|fs_reads/.test(name)) expect(named.has(name)).toBe(false);
    else expect([name, named.get(name)?.labelValues?.length]).toEqual([name, labelKeys.length]);
  }
  expect(metrics.every(({ name = '' }) => metricDescriptors.some((descriptor) => descriptor.name === name))).toBe(true);
  const labels = ['name-of-p1', 'default', 'name-of-c1', 'c1', 'busybox'];
  const value = (name: string) => [named.get(name)?.metricType, named.get(name)?.value?.value, ...(named.get(name)?.labelValues ?? [])];
  const { COUNTER, GAUGE } = criMetrics.MetricType;
  expect(value('container_cpu_usage_seconds_total')).toEqual([COUNTER, 7n, ...labels]);
  expect(value('container_memory_working_set_bytes')).toEqual([GAUGE, 6n * mebibyte, ...labels]);
  expect(value('container_memory_failures_total')).toEqual([COUNTER, 8n, ...labels, 'pgmajfault', 'container']);
  expect(value('container_fs_usage_bytes')).toEqual([GAUGE, 8192n, ...labels, '/']);
  expect(value('container_fs_writes_bytes_total').slice(0, 2)).toEqual([COUNTER, 4096n]);
  expect(value('container_spec_cpu_quota')).toEqual([GAUGE, 20_000n, ...labels]);
  expect(value('container_start_time_seconds')).toEqual([GAUGE, 3n, ...labels]);
  expect(value('container_network_transmit_packets_total')).toEqual([COUNTER, 6n, 'name-of-p1', 'default', '', 'p1', '', 'eth0']);
  const streamed = await Array.fromAsync(streamPodSandboxMetrics(create(criRuntime.StreamPodSandboxMetricsRequestSchema), context));
  expect(streamed.flatMap(({ podSandboxMetrics: some = [] }) => some.map(({ podSandboxId }) => podSandboxId))).toEqual(['p1', 'p2']);
});

test('how much of a processor is used follows from two readings', () => {
  const rates = new CpuRates();
  expect(rates.rate('a', 1_000_000n, 1_000)).toBeUndefined();
  expect(rates.rate('a', 501_000_000n, 2_000)).toBe(500_000_000n);
  // Too near, and a cgroup that was made anew.
  expect(rates.rate('a', 502_000_000n, 2_001)).toBe(500_000_000n);
  expect(rates.rate('a', 5n, 4_000)).toBeUndefined();
  rates.retain(new Set());
  expect(rates.rate('a', 5n, 5_000)).toBeUndefined();
});

test('what processes hold open; one that is not there holds nothing', async () => {
  const { descriptors, sockets } = await openFiles([process.pid, 2 ** 22 + 1]);
  expect([descriptors > 0, sockets <= descriptors]).toEqual([true, true]);
  expect(await openFilesLimit(process.pid)).toBeGreaterThan(0n);
  expect(await openFilesLimit(2 ** 22 + 1)).toBeUndefined();
});
