/** A cgroup's figures in the interface's words. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criStats } from '../../api/cri/index.ts';
import type { TaskStats } from '../../core/tasks/index.ts';
import { nsOf } from '../clock.ts';
import type { CpuRates } from './cpu-rates.ts';

/** v1 says the greatest multiple of the page size below 2^63 for no limit, v2 2^64-1. */
const noLimitBytes = 2n ** 62n;

interface Usages {
  readonly cpu: MessageInitShape<typeof criStats.CpuUsageSchema>;
  readonly memory: MessageInitShape<typeof criStats.MemoryUsageSchema>;
  readonly swap?: MessageInitShape<typeof criStats.SwapUsageSchema>;
  readonly io?: MessageInitShape<typeof criStats.IoUsageSchema>;
}

export function usagesOf(id: string, stats: TaskStats, rates: CpuRates): Usages {
  const timestamp = nsOf(stats.readAt);
  const rate = rates.rate(id, stats.cpu.usageNs, stats.readAt.getTime());
  const { memory, pressure } = stats;
  const workingSet = workingSetBytes(stats);
  const hasLimit = memory.limitBytes < noLimitBytes;
  return {
    cpu: {
      timestamp,
      usageCoreNanoSeconds: { value: stats.cpu.usageNs },
      ...(rate === undefined ? {} : { usageNanoCores: { value: rate } }),
      ...psi(pressure.cpu),
    },
    memory: {
      timestamp,
      workingSetBytes: { value: workingSet },
      availableBytes: { value: hasLimit && memory.limitBytes > workingSet ? memory.limitBytes - workingSet : 0n },
      usageBytes: { value: memory.usageBytes },
      rssBytes: { value: rssBytes(stats) },
      pageFaults: { value: ofAll(stats, 'pgfault') },
      majorPageFaults: { value: ofAll(stats, 'pgmajfault') },
      ...psi(pressure.memory),
    },
    ...(memory.swapBytes === undefined ? {} : { swap: { timestamp, swapUsageBytes: { value: memory.swapBytes } } }),
    ...(pressure.io === undefined ? {} : { io: { timestamp, ...psi(pressure.io) } }),
  };
}

/** What cannot be taken away from it without asking the disk again: the kubelet evicts by it. */
export function workingSetBytes(stats: TaskStats): bigint {
  const { usageBytes } = stats.memory;
  const inactive = ofAll(stats, 'inactive_file');
  return usageBytes > inactive ? usageBytes - inactive : 0n;
}

export function rssBytes(stats: TaskStats): bigint {
  return stats.memory.stat['anon'] ?? ofAll(stats, 'rss');
}

/** Of the cgroup and all below it: v1 has that under another name. */
export function ofAll({ memory: { stat } }: TaskStats, name: string): bigint {
  return stat[`total_${name}`] ?? stat[name] ?? 0n;
}

function psi(pressure: TaskStats['pressure']['cpu']) {
  if (pressure === undefined) return {};
  const data = ({ totalNs, averages: [Avg10, Avg60, Avg300] }: typeof pressure.some) => ({ Total: totalNs, Avg10, Avg60, Avg300 });
  return { psi: { Some: data(pressure.some), Full: data(pressure.full) } };
}
