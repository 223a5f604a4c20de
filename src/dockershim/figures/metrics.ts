import { statfs } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { addFileSystem, addInterface, addLimits, addProcesses, type criMetrics, type criPod, MetricList } from '../../api/cri/index.ts';
import type { ContainerInspect, ContainerStats } from '../../api/docker/index.ts';
import { blockDeviceName, openFiles, openFilesLimit } from '../../base/index.ts';
import { limitsOf } from '../containers/messages.ts';
import { nanoseconds } from '../engine/engine.ts';
import { containerConfigOf } from '../engine/labels.ts';
import { interfacesOf } from './interfaces.ts';
import { memoryFigure, workingSet } from './memory.ts';

const nsPerSecond = 1_000_000_000;

/** A container as the engine tells it. */
export interface EngineContainer {
  readonly inspect: ContainerInspect;
  readonly stats: ContainerStats;
  /** Of its root file system: what it has written, in bytes. */
  readonly writtenBytes: number;
  readonly pids: readonly number[];
}

export interface EnginePod {
  readonly id: string;
  readonly metadata: criPod.PodSandboxMetadata | undefined;
  readonly stats: ContainerStats;
  readonly containers: readonly EngineContainer[];
}

/** cAdvisor's metrics, as far as the engine measures them and processes of this machine tell them. `dataRoot`: the engine's. */
export async function podMetrics(pod: EnginePod, dataRoot: string): Promise<MessageInitShape<typeof criMetrics.PodSandboxMetricsSchema>> {
  const podLabels = [pod.metadata?.name ?? '', pod.metadata?.namespace ?? ''];
  const list = new MetricList([...podLabels, '', pod.id, ''], BigInt(Date.now()) * 1_000_000n);
  for (const [name, counters] of interfacesOf(pod.stats)) addInterface(list, name, counters);
  return {
    podSandboxId: pod.id,
    metrics: list.metrics,
    containerMetrics: await Promise.all(pod.containers.map(async (one) => await ofContainer(one, podLabels, dataRoot))),
  };
}

async function ofContainer(
  container: EngineContainer,
  podLabels: readonly string[],
  dataRoot: string,
): Promise<MessageInitShape<typeof criMetrics.ContainerMetricsSchema>> {
  const { inspect, stats, pids, writtenBytes } = container;
  const { Id, Config, State, HostConfig } = inspect;
  const { metadata, image } = containerConfigOf(Config.Labels);
  const list = new MetricList([...podLabels, metadata?.name ?? '', Id, image?.image ?? ''], BigInt(Date.now()) * 1_000_000n);
  list.add('container_last_seen', Date.now() / 1000);
  list.add('container_start_time_seconds', nanoseconds(State.StartedAt) / BigInt(nsPerSecond));
  addLimits(list, limitsOf(inspect), HostConfig.MemoryReservation);
  addCpu(list, stats);
  addMemory(list, stats);
  await addDevices(list, stats);
  addFileSystem(list, writtenBytes, await statfs(dataRoot));
  addProcesses(list, { processes: pids.length, ...(await openFiles(pids)), openFilesLimit: await openFilesLimit(State.Pid) });
  list.add('container_threads', stats.pids_stats.current ?? pids.length);
  list.add('container_threads_max', stats.pids_stats.limit ?? 0);
  return { containerId: Id, metrics: list.metrics };
}

function addCpu(list: MetricList, { cpu_stats: { cpu_usage: usage, throttling_data: throttling } }: ContainerStats): void {
  list.add('container_cpu_usage_seconds_total', usage.total_usage / nsPerSecond);
  list.add('container_cpu_user_seconds_total', usage.usage_in_usermode / nsPerSecond);
  list.add('container_cpu_system_seconds_total', usage.usage_in_kernelmode / nsPerSecond);
  list.add('container_cpu_cfs_periods_total', throttling.periods);
  list.add('container_cpu_cfs_throttled_periods_total', throttling.throttled_periods);
  list.add('container_cpu_cfs_throttled_seconds_total', throttling.throttled_time / nsPerSecond);
}

function addMemory(list: MetricList, stats: ContainerStats): void {
  const { usage = 0, max_usage: most = usage, failcnt = 0 } = stats.memory_stats;
  list.add('container_memory_cache', memoryFigure(stats, 'file', 'total_cache', 'cache'));
  list.add('container_memory_rss', memoryFigure(stats, 'anon', 'total_rss', 'rss'));
  list.add('container_memory_kernel_usage', memoryFigure(stats, 'kernel', 'kernel_stack', 'slab'));
  list.add('container_memory_mapped_file', memoryFigure(stats, 'file_mapped', 'total_mapped_file', 'mapped_file'));
  list.add('container_memory_swap', memoryFigure(stats, 'total_swap', 'swap'));
  list.add('container_memory_failcnt', failcnt);
  list.add('container_memory_usage_bytes', usage);
  list.add('container_memory_max_usage_bytes', most);
  list.add('container_memory_working_set_bytes', workingSet(stats));
  list.add('container_memory_total_active_file_bytes', memoryFigure(stats, 'active_file', 'total_active_file'));
  list.add('container_memory_total_inactive_file_bytes', memoryFigure(stats, 'inactive_file', 'total_inactive_file'));
  list.add('container_memory_failures_total', memoryFigure(stats, 'pgfault', 'total_pgfault'), 'pgfault', 'container');
  list.add('container_memory_failures_total', memoryFigure(stats, 'pgmajfault', 'total_pgmajfault'), 'pgmajfault', 'container');
  list.add('container_oom_events_total', memoryFigure(stats, 'oom_kill'));
}

async function addDevices(
  list: MetricList,
  { blkio_stats: { io_service_bytes_recursive: bytes, io_serviced_recursive: operations } }: ContainerStats,
): Promise<void> {
  for (const { major, minor, op, value } of bytes ?? []) {
    const device = await blockDeviceName(major, minor);
    list.add('container_blkio_device_usage_total', value, device, String(major), String(minor), op);
    const direction = directionOf(op);
    if (direction !== undefined) list.add(`container_fs_${direction}_bytes_total`, value, device);
  }
  for (const { major, minor, op, value } of operations ?? []) {
    const direction = directionOf(op);
    if (direction !== undefined) list.add(`container_fs_${direction}_total`, value, await blockDeviceName(major, minor));
  }
}

function directionOf(operation: string): 'reads' | 'writes' | undefined {
  const name = operation.toLowerCase();
  return name === 'read' ? 'reads' : name === 'write' ? 'writes' : undefined;
}
