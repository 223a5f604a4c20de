import { statfs } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addFileSystem, addInterface, addLimits, addProcesses, type criMetrics, MetricList } from '../../api/cri/index.ts';
import { blockDeviceName, openFiles, openFilesLimit } from '../../base/index.ts';
import type { TaskStats } from '../../core/tasks/index.ts';
import { nowNs } from '../clock.ts';
import type { MeasuredContainer, MeasuredPod } from './measured.ts';
import { type Meter, pidsOf } from './meter.ts';
import { ofAll, rssBytes, workingSetBytes } from './usage.ts';

const nsPerSecond = 1_000_000_000n;

/** Everything that `metricDescriptors` name, of a pod. */
export async function podMetrics(pod: MeasuredPod, meter: Meter, fileSystemPath: string): Promise<MessageInitShape<typeof criMetrics.PodSandboxMetricsSchema>> {
  const { id, metadata } = pod.attributes;
  const podLabels = [metadata?.name ?? '', metadata?.namespace ?? ''];
  const list = new MetricList([...podLabels, '', id, ''], nowNs());
  for (const [name, counters] of meter.interfaces(pod)) addInterface(list, name, counters);
  const containerMetrics = await Promise.all(pod.containers.map(async (container) => await ofContainer(container, podLabels, meter, fileSystemPath)));
  return { podSandboxId: id, metrics: list.metrics, containerMetrics };
}

async function ofContainer(
  container: MeasuredContainer,
  podLabels: readonly string[],
  meter: Meter,
  fileSystemPath: string,
): Promise<MessageInitShape<typeof criMetrics.ContainerMetricsSchema>> {
  const { id, metadata } = container.attributes;
  const list = new MetricList([...podLabels, metadata?.name ?? '', id, container.image], nowNs());
  list.add('container_last_seen', nowNs() / nsPerSecond);
  list.add('container_start_time_seconds', container.startedAt / nsPerSecond);
  addLimits(list, container.resources);
  const [stats, layer, pids] = await Promise.all([meter.taskStats(container), meter.layer(container), pidsOf(container)]);
  if (stats !== undefined) {
    addCpu(list, stats);
    addMemory(list, stats);
    addPressure(list, stats);
    await addDevices(list, stats);
    list.add('container_threads', stats.pids.current);
    list.add('container_threads_max', stats.pids.limit ?? 0n);
  }
  if (layer !== undefined) addFileSystem(list, layer.sizeBytes, await statfs(fileSystemPath));
  const [pid] = pids;
  if (pid !== undefined) addProcesses(list, { processes: pids.length, ...(await openFiles(pids)), openFilesLimit: await openFilesLimit(pid) });
  return { containerId: id, metrics: list.metrics };
}

function addCpu(list: MetricList, { cpu }: TaskStats): void {
  list.add('container_cpu_usage_seconds_total', cpu.usageNs / nsPerSecond);
  list.add('container_cpu_user_seconds_total', cpu.userNs / nsPerSecond);
  list.add('container_cpu_system_seconds_total', cpu.kernelNs / nsPerSecond);
  list.add('container_cpu_cfs_periods_total', cpu.throttlePeriods);
  list.add('container_cpu_cfs_throttled_periods_total', cpu.throttledPeriods);
  list.add('container_cpu_cfs_throttled_seconds_total', cpu.throttledNs / nsPerSecond);
}

function addMemory(list: MetricList, stats: TaskStats): void {
  const { memory } = stats;
  const { stat } = memory;
  list.add('container_memory_cache', stat['file'] ?? ofAll(stats, 'cache'));
  list.add('container_memory_rss', rssBytes(stats));
  list.add('container_memory_kernel_usage', memory.kernelBytes ?? 0n);
  list.add('container_memory_mapped_file', stat['file_mapped'] ?? ofAll(stats, 'mapped_file'));
  list.add('container_memory_swap', memory.swapBytes ?? 0n);
  list.add('container_memory_failcnt', memory.failCount);
  list.add('container_memory_usage_bytes', memory.usageBytes);
  list.add('container_memory_max_usage_bytes', memory.maxUsageBytes);
  list.add('container_memory_working_set_bytes', workingSetBytes(stats));
  list.add('container_memory_total_active_file_bytes', ofAll(stats, 'active_file'));
  list.add('container_memory_total_inactive_file_bytes', ofAll(stats, 'inactive_file'));
  for (const kind of ['pgfault', 'pgmajfault']) list.add('container_memory_failures_total', ofAll(stats, kind), kind, 'container');
  list.add('container_oom_events_total', memory.oomKills);
}

function addPressure(list: MetricList, { pressure }: TaskStats): void {
  for (const what of ['cpu', 'memory', 'io'] as const) {
    const found = pressure[what];
    if (found === undefined) continue;
    list.add(`container_pressure_${what}_waiting_seconds_total`, found.some.totalNs / nsPerSecond);
    list.add(`container_pressure_${what}_stalled_seconds_total`, found.full.totalNs / nsPerSecond);
  }
}

async function addDevices(list: MetricList, { blkio }: TaskStats): Promise<void> {
  for (const { major, minor, op, bytes, ios } of blkio) {
    const device = await blockDeviceName(major, minor);
    list.add('container_blkio_device_usage_total', bytes, device, String(major), String(minor), op);
    if (op !== 'Read' && op !== 'Write') continue;
    const direction = op === 'Read' ? 'reads' : 'writes';
    list.add(`container_fs_${direction}_bytes_total`, bytes, device);
    list.add(`container_fs_${direction}_total`, ios, device);
  }
}
