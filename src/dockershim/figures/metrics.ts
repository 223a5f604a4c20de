import { statfs } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type criMetrics, type criPod, MetricList } from '../../api/cri/index.ts';
import type { ContainerInspect, ContainerStats } from '../../api/docker/index.ts';
import { blockDeviceName, openFiles, openFilesLimit } from '../../base/index.ts';
import { nanoseconds } from '../engine/engine.ts';
import { containerConfigOf } from '../engine/labels.ts';
import { memoryFigure, workingSet } from './memory.ts';

const nsPerSecond = 1_000_000_000;
/** cpu(7): what the kernel has where nobody said anything. */
const defaultPeriodUs = 100_000;
const defaultShares = 1024;

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
  for (const [name, counters] of Object.entries(pod.stats.networks ?? {})) {
    list.add('container_network_receive_bytes_total', counters.rx_bytes, name);
    list.add('container_network_receive_packets_total', counters.rx_packets, name);
    list.add('container_network_receive_packets_dropped_total', counters.rx_dropped, name);
    list.add('container_network_receive_errors_total', counters.rx_errors, name);
    list.add('container_network_transmit_bytes_total', counters.tx_bytes, name);
    list.add('container_network_transmit_packets_total', counters.tx_packets, name);
    list.add('container_network_transmit_packets_dropped_total', counters.tx_dropped, name);
    list.add('container_network_transmit_errors_total', counters.tx_errors, name);
  }
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
  const { Id, Config, State } = container.inspect;
  const { metadata, image } = containerConfigOf(Config.Labels);
  const list = new MetricList([...podLabels, metadata?.name ?? '', Id, image?.image ?? ''], BigInt(Date.now()) * 1_000_000n);
  list.add('container_last_seen', Date.now() / 1000);
  list.add('container_start_time_seconds', nanoseconds(State.StartedAt) / BigInt(nsPerSecond));
  addLimits(list, container.inspect);
  addCpu(list, container.stats);
  addMemory(list, container.stats);
  await addDevices(list, container.stats);
  await addFileSystem(list, container.writtenBytes, dataRoot);
  await addProcesses(list, container);
  return { containerId: Id, metrics: list.metrics };
}

function addLimits(list: MetricList, { HostConfig: { CpuPeriod, CpuQuota, CpuShares, Memory, MemoryReservation, MemorySwap } }: ContainerInspect): void {
  list.add('container_spec_cpu_period', CpuPeriod > 0 ? CpuPeriod : defaultPeriodUs);
  if (CpuQuota > 0) list.add('container_spec_cpu_quota', CpuQuota);
  list.add('container_spec_cpu_shares', CpuShares > 0 ? CpuShares : defaultShares);
  list.add('container_spec_memory_limit_bytes', Memory);
  list.add('container_spec_memory_reservation_limit_bytes', MemoryReservation);
  list.add('container_spec_memory_swap_limit_bytes', MemorySwap);
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

async function addFileSystem(list: MetricList, writtenBytes: number, dataRoot: string): Promise<void> {
  list.add('container_fs_usage_bytes', writtenBytes, '/');
  const { bsize, blocks, files, ffree } = await statfs(dataRoot);
  list.add('container_fs_limit_bytes', bsize * blocks, '/');
  list.add('container_fs_inodes_total', files, '/');
  list.add('container_fs_inodes_free', ffree, '/');
}

async function addProcesses(list: MetricList, { pids, inspect, stats }: EngineContainer): Promise<void> {
  const [{ descriptors, sockets }, limit] = await Promise.all([openFiles(pids), openFilesLimit(inspect.State.Pid)]);
  list.add('container_processes', pids.length);
  list.add('container_threads', stats.pids_stats.current ?? pids.length);
  list.add('container_threads_max', stats.pids_stats.limit ?? 0);
  list.add('container_file_descriptors', descriptors);
  list.add('container_sockets', sockets);
  list.add('container_ulimits_soft', limit, 'max_open_files');
}
