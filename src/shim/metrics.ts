import { create, toBinary } from '@bufbuild/protobuf';
import { cgroupsV1, cgroupsV2 } from '../api/io/index.ts';
import type { TaskStats } from '../core/tasks/index.ts';

interface PackedMetrics {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

const nsPerUs = 1000n;
const unlimited = 2n ** 64n - 1n;

/** The statistics of a task as containerd's metrics: of the hierarchies, or of the one tree. */
export function metricsOf(stats: TaskStats, version: 1 | 2): PackedMetrics {
  const [schema, message] =
    version === 1
      ? ([cgroupsV1.MetricsSchema, create(cgroupsV1.MetricsSchema, v1Metrics(stats))] as const)
      : ([cgroupsV2.MetricsSchema, create(cgroupsV2.MetricsSchema, v2Metrics(stats))] as const);
  return { typeUrl: schema.typeName, value: toBinary(schema, message) };
}

/** Names of memory.stat and of the message's fields. */
const v1Memory = [
  ['cache', 'cache'],
  ['rss', 'rss'],
  ['rss_huge', 'rssHuge'],
  ['mapped_file', 'mappedFile'],
  ['dirty', 'dirty'],
  ['writeback', 'writeback'],
  ['pgpgin', 'pgPgIn'],
  ['pgpgout', 'pgPgOut'],
  ['pgfault', 'pgFault'],
  ['pgmajfault', 'pgMajFault'],
  ['inactive_anon', 'inactiveAnon'],
  ['active_anon', 'activeAnon'],
  ['inactive_file', 'inactiveFile'],
  ['active_file', 'activeFile'],
  ['unevictable', 'unevictable'],
] as const;

function v1Metrics({ cpu, memory, pids, blkio }: TaskStats) {
  const { stat } = memory;
  const own = Object.fromEntries(v1Memory.map(([name, field]) => [field, stat[name] ?? 0n]));
  const total = Object.fromEntries(v1Memory.map(([name, field]) => [`total${field[0]?.toUpperCase()}${field.slice(1)}`, stat[`total_${name}`] ?? 0n]));
  const entries = (value: 'bytes' | 'ios') =>
    blkio.map((entry) => ({ op: entry.op, major: BigInt(entry.major), minor: BigInt(entry.minor), value: entry[value] }));
  return {
    pids: { current: pids.current, limit: pids.limit ?? 0n },
    cpu: {
      usage: { total: cpu.usageNs, kernel: cpu.kernelNs, user: cpu.userNs, perCpu: [...cpu.perCpuNs] },
      throttling: { periods: cpu.throttlePeriods, throttledPeriods: cpu.throttledPeriods, throttledTime: cpu.throttledNs },
    },
    memory: {
      ...own,
      ...total,
      hierarchicalMemoryLimit: stat['hierarchical_memory_limit'] ?? 0n,
      hierarchicalSwapLimit: stat['hierarchical_memsw_limit'] ?? 0n,
      usage: { limit: memory.limitBytes, usage: memory.usageBytes, max: memory.maxUsageBytes, failcnt: memory.failCount },
      // Of memory and swap together, as the hierarchy counts.
      ...(memory.swapBytes === undefined ? {} : { swap: { usage: memory.usageBytes + memory.swapBytes } }),
      ...(memory.kernelBytes === undefined ? {} : { kernel: { usage: memory.kernelBytes } }),
    },
    memoryOomControl: { oomKill: memory.oomKills },
    blkio: { ioServiceBytesRecursive: entries('bytes'), ioServicedRecursive: entries('ios') },
  };
}

const v2Memory = [
  ['anon', 'anon'],
  ['file', 'file'],
  ['kernel_stack', 'kernelStack'],
  ['slab', 'slab'],
  ['sock', 'sock'],
  ['shmem', 'shmem'],
  ['file_mapped', 'fileMapped'],
  ['file_dirty', 'fileDirty'],
  ['file_writeback', 'fileWriteback'],
  ['anon_thp', 'anonThp'],
  ['inactive_anon', 'inactiveAnon'],
  ['active_anon', 'activeAnon'],
  ['inactive_file', 'inactiveFile'],
  ['active_file', 'activeFile'],
  ['unevictable', 'unevictable'],
  ['slab_reclaimable', 'slabReclaimable'],
  ['slab_unreclaimable', 'slabUnreclaimable'],
  ['pgfault', 'pgfault'],
  ['pgmajfault', 'pgmajfault'],
  ['workingset_nodereclaim', 'workingsetNodereclaim'],
  ['pgrefill', 'pgrefill'],
  ['pgscan', 'pgscan'],
  ['pgsteal', 'pgsteal'],
  ['pgactivate', 'pgactivate'],
  ['pgdeactivate', 'pgdeactivate'],
  ['pglazyfree', 'pglazyfree'],
  ['pglazyfreed', 'pglazyfreed'],
  ['thp_fault_alloc', 'thpFaultAlloc'],
  ['thp_collapse_alloc', 'thpCollapseAlloc'],
  ['workingset_refault_anon', 'workingsetRefaultAnon'],
  ['workingset_refault_file', 'workingsetRefaultFile'],
  ['workingset_activate_anon', 'workingsetActivateAnon'],
  ['workingset_activate_file', 'workingsetActivateFile'],
] as const;

function v2Metrics({ cpu, memory, pids, blkio }: TaskStats) {
  const devices = new Map<string, { major: bigint; minor: bigint; rbytes: bigint; wbytes: bigint; rios: bigint; wios: bigint }>();
  for (const { major, minor, op, bytes, ios } of blkio) {
    const key = `${major}:${minor}`;
    const entry = devices.get(key) ?? { major: BigInt(major), minor: BigInt(minor), rbytes: 0n, wbytes: 0n, rios: 0n, wios: 0n };
    devices.set(key, op === 'Read' ? { ...entry, rbytes: bytes, rios: ios } : { ...entry, wbytes: bytes, wios: ios });
  }
  return {
    pids: { current: pids.current, limit: pids.limit ?? 0n },
    cpu: {
      usageUsec: cpu.usageNs / nsPerUs,
      userUsec: cpu.userNs / nsPerUs,
      systemUsec: cpu.kernelNs / nsPerUs,
      nrPeriods: cpu.throttlePeriods,
      nrThrottled: cpu.throttledPeriods,
      throttledUsec: cpu.throttledNs / nsPerUs,
    },
    memory: {
      ...Object.fromEntries(v2Memory.map(([name, field]) => [field, memory.stat[name] ?? 0n])),
      usage: memory.usageBytes,
      usageLimit: memory.limitBytes === unlimited ? unlimited : memory.limitBytes,
      maxUsage: memory.maxUsageBytes,
      swapUsage: memory.swapBytes ?? 0n,
    },
    memoryEvents: { max: memory.failCount, oomKill: memory.oomKills },
    io: { usage: [...devices.values()] },
  };
}
