import { type CgroupStats, cgroupDirectories, readCgroupStats } from '../../kernel/index.ts';
import { storedLayout } from './cgroup.ts';
import type { RuntimeContext } from './context.ts';
import { notRunning } from './kill.ts';
import { containerStatus } from './status.ts';

/** The statistics in the shape of runc's `events --stats`, which cri-o and containerd's older shims read. */
export async function containerStats({ store }: RuntimeContext, id: string): Promise<object> {
  const container = store.load(id);
  if (containerStatus(store, container) === 'stopped') throw notRunning(id);
  const layout = storedLayout(container.cgroup);
  return { type: 'stats', id, data: runcStats(await readCgroupStats(layout, cgroupDirectories(layout, container.cgroup.path))) };
}

function runcStats({ cpu, memory, pids, blkio }: CgroupStats): object {
  const entries = (value: 'bytes' | 'ios') => blkio.map((entry) => ({ major: entry.major, minor: entry.minor, op: entry.op, value: entry[value] }));
  return {
    cpu: {
      usage: { total: cpu.usageNs, percpu: cpu.perCpuNs, kernel: cpu.kernelNs, user: cpu.userNs },
      throttling: { periods: cpu.throttlePeriods, throttledPeriods: cpu.throttledPeriods, throttledTime: cpu.throttledNs },
    },
    memory: {
      cache: memory.stat['cache'] ?? memory.stat['file'] ?? 0n,
      usage: { limit: memory.limitBytes, usage: memory.usageBytes, max: memory.maxUsageBytes, failcnt: memory.failCount },
      raw: memory.stat,
    },
    pids: { current: pids.current, ...(pids.limit === undefined ? {} : { limit: pids.limit }) },
    blkio: { ioServiceBytesRecursive: entries('bytes'), ioServicedRecursive: entries('ios') },
    hugetlb: {},
  };
}
