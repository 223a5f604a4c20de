import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { BlkioEntry, ContainerStats, CpuStats, InterfaceStats } from '../../api/docker/index.ts';
import { isCode } from '../../base/index.ts';
import type { TaskStats } from '../../core/tasks/index.ts';
import { readInterfaceCounters } from '../../network/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isRunning, never } from './lifecycle.ts';
import { rfc3339Nano } from './time.ts';

/** How often Docker samples. */
const intervalMs = 1000;
/** USER_HZ, the unit of /proc/stat (proc_stat(5)), is 100 on every architecture that runs here. */
const clockTicksPerSecond = 100n;

export interface StatsRequest {
  readonly stream: boolean;
  /** One sample, without the one before it. */
  readonly oneShot: boolean;
  readonly signal: AbortSignal;
}

/** A sample a second until the client leaves or the container is removed. Checks before the first one. */
export function containerStats(context: ContainerContext, reference: string, request: StatsRequest): AsyncIterable<ContainerStats> {
  return samples(context, context.registry.get(reference), request);
}

async function* samples(context: ContainerContext, container: Container, { stream, oneShot, signal }: StatsRequest): AsyncGenerator<ContainerStats> {
  let before: ContainerStats | undefined;
  if (!stream && !oneShot && container.running) {
    before = await sample(container, undefined);
    await delay(intervalMs, undefined, { signal });
  }
  for (;;) {
    const now = await sample(container, before);
    yield now;
    if (!stream || signal.aborted) return;
    before = now;
    await delay(intervalMs, undefined, { signal });
    if (context.registry.find(container.id) === undefined) return;
  }
}

async function sample(container: Container, before: ContainerStats | undefined): Promise<ContainerStats> {
  const { lifecycle, task } = container;
  const stats = task === undefined ? undefined : await task.stats().catch(ignoreEnded);
  const common = { name: `/${container.name}`, id: container.id, preread: before?.read ?? never, precpu_stats: before?.cpu_stats ?? noCpu };
  if (stats === undefined || !isRunning(lifecycle)) return { ...empty, ...common };
  const networks = interfaceStats(lifecycle.pid);
  return {
    ...common,
    read: rfc3339Nano(stats.readAt.getTime()),
    num_procs: 0,
    pids_stats: { current: Number(stats.pids.current), ...(stats.pids.limit === undefined ? {} : { limit: Number(stats.pids.limit) }) },
    blkio_stats: { ...noBlkio, io_service_bytes_recursive: blkio(stats, 'bytes'), io_serviced_recursive: blkio(stats, 'ios') },
    storage_stats: {},
    cpu_stats: cpu(stats),
    memory_stats: memory(stats),
    ...(Object.keys(networks).length === 0 ? {} : { networks }),
  };
}

function cpu({ cpu: used }: TaskStats): CpuStats {
  return {
    cpu_usage: {
      total_usage: Number(used.usageNs),
      ...(used.perCpuNs.length === 0 ? {} : { percpu_usage: used.perCpuNs.map(Number) }),
      usage_in_kernelmode: Number(used.kernelNs),
      usage_in_usermode: Number(used.userNs),
    },
    system_cpu_usage: systemCpuNs(),
    online_cpus: os.cpus().length,
    throttling_data: { periods: Number(used.throttlePeriods), throttled_periods: Number(used.throttledPeriods), throttled_time: Number(used.throttledNs) },
  };
}

/** Without a limit, the machine's memory is it, as docker tells. */
function memory({ memory: used }: TaskStats): ContainerStats['memory_stats'] {
  const total = os.totalmem();
  return {
    usage: Number(used.usageBytes),
    max_usage: Number(used.maxUsageBytes),
    stats: Object.fromEntries(Object.entries(used.stat).map(([name, value]) => [name, Number(value)])),
    failcnt: Number(used.failCount),
    limit: Math.min(Number(used.limitBytes), total),
  };
}

function blkio({ blkio: entries }: TaskStats, field: 'bytes' | 'ios'): readonly BlkioEntry[] | null {
  return entries.length === 0
    ? null
    : entries.map((entry) => ({ major: entry.major, minor: entry.minor, op: entry.op.toLowerCase(), value: Number(entry[field]) }));
}

/** All CPUs' time: user, nice, system, idle, iowait, irq, softirq (proc_stat(5)). */
function systemCpuNs(): number {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]?.split(' ').slice(0, 7) ?? [];
  const ticks = fields.reduce((sum, field) => sum + BigInt(field), 0n);
  return Number((ticks * 1_000_000_000n) / clockTicksPerSecond);
}

function interfaceStats(pid: number): Readonly<Record<string, InterfaceStats>> {
  return Object.fromEntries(
    [...readInterfaceCounters(pid)].map(([name, counters]) => [
      name,
      {
        rx_bytes: counters.rxBytes,
        rx_packets: counters.rxPackets,
        rx_errors: counters.rxErrors,
        rx_dropped: counters.rxDropped,
        tx_bytes: counters.txBytes,
        tx_packets: counters.txPackets,
        tx_errors: counters.txErrors,
        tx_dropped: counters.txDropped,
      },
    ]),
  );
}

function ignoreEnded(error: unknown): undefined {
  if (isCode(error, 'NotFound')) return undefined;
  throw error;
}

const noCpu: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const noBlkio: ContainerStats['blkio_stats'] = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

const empty = { read: never, num_procs: 0, pids_stats: {}, blkio_stats: noBlkio, storage_stats: {}, cpu_stats: noCpu, memory_stats: {} };
