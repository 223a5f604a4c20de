import type { CpuResources, MemoryResources, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { checkCpuShares, pidsMax } from './conversions.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import { cannotSetLimit, controlName, invalidLimit, rdmaLine } from './limit-errors.ts';
import { writeControl, writeFlags } from './write.ts';

export interface V1LimitOptions {
  /** of a cgroup that is in use, for the order of the writes; its cpuset is written too, which `makeV1Directories` does for a new one */
  readonly live?: V1LiveLimits | undefined;
  /** a limit that this kernel has no file for is left out */
  readonly lenient?: boolean | undefined;
}

export interface V1LiveLimits {
  /** memory.memsw.limit_in_bytes */
  readonly memswBytes: bigint | undefined;
}

/** The limits other than devices as writes of v1 control files. FailedPrecondition, in runc's words, when a limit's controller is not mounted. */
export function v1LimitOperations(directories: CgroupDirectories, resources: ResourcesSpec, { live, lenient }: V1LimitOptions = {}): readonly Op[] {
  const ops: Op[] = [];
  const within = (controller: string, writes: (write: Write) => void) => {
    const dir = v1DirectoryOf(directories, controller);
    writes((file, value, flags = 0) => {
      if (dir === undefined) throw cannotSetLimit(controller);
      ops.push(writeControl(dir, file, value, lenient ? flags : flags & ~writeFlags.ignoreMissing));
    });
  };
  const { cpu, memory, blockIO, pids, network } = resources;
  if (Object.keys(resources.unified ?? {}).length > 0) throw invalidLimit('invalid configuration: cannot use unified on cgroup v1');
  if (cpu && live) within('cpuset', (write) => cpusetWrites(cpu, write));
  if (cpu) within('cpu', (write) => cpuWrites(cpu, write, live !== undefined));
  if (pids?.limit !== undefined) within('pids', (write) => write('pids.max', pidsMax(pids.limit ?? 0)));
  if (blockIO) within('blkio', (write) => blkioWrites(blockIO, write));
  for (const { pageSize, limit } of resources.hugepageLimits ?? [])
    within('hugetlb', (write) => {
      write(`hugetlb.${controlName(pageSize)}.limit_in_bytes`, String(limit));
      // reservations are counted since 5.7; without them the limit above is all there is
      write(`hugetlb.${controlName(pageSize)}.rsvd.limit_in_bytes`, String(limit), writeFlags.ignoreFailure);
    });
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {}))
    within('rdma', (write) => write('rdma.max', rdmaLine(device, hcaHandles, hcaObjects)));
  if (network?.classID) within('net_cls', (write) => write('net_cls.classid', String(network.classID)));
  for (const { name, priority } of network?.priorities ?? []) within('net_prio', (write) => write('net_prio.ifpriomap', `${name} ${priority}`));
  if (memory) within('memory', (write) => memoryWrites(memory, write, live));
  return ops;
}

type Write = (file: string, value: string, flags?: number) => void;

function cpusetWrites(cpu: CpuResources, write: Write): void {
  if (cpu.cpus) write('cpuset.cpus', cpu.cpus);
  if (cpu.mems) write('cpuset.mems', cpu.mems);
}

/**
 * Period and quota depend on each other: on a live cgroup a new period may be refused while the old quota stands, so it is tried, and
 * set again after the quota. The burst and the real-time pair likewise.
 */
function cpuWrites(cpu: CpuResources, write: Write, live: boolean): void {
  const pair = (period: string, value: string, periodUs: unknown, us: unknown) => {
    if (periodUs) write(period, String(periodUs), live && us ? writeFlags.ignoreFailure : 0);
    if (us) write(value, String(us));
    if (periodUs && us && live) write(period, String(periodUs));
  };
  pair('cpu.rt_period_us', 'cpu.rt_runtime_us', cpu.realtimePeriod, cpu.realtimeRuntime);
  if (cpu.shares) write('cpu.shares', String(checkCpuShares(cpu.shares)));
  if (live && cpu.burst !== undefined && cpu.quota) write('cpu.cfs_burst_us', '0', writeFlags.ignoreFailure);
  pair('cpu.cfs_period_us', 'cpu.cfs_quota_us', cpu.period, cpu.quota);
  if (cpu.burst !== undefined) write('cpu.cfs_burst_us', String(cpu.burst), writeFlags.ignoreMissing);
  if (cpu.idle !== undefined) write('cpu.idle', String(cpu.idle), writeFlags.ignoreMissing);
}

/**
 * memory.limit ≤ memory.memsw.limit holds at every moment: a new cgroup gets the limit first; a live one gets the greater of the two first.
 * memsw is missing on kernels without swap accounting. The kernel's own memory has no limit any more (memory.kmem.limit_in_bytes, to 5.15).
 */
function memoryWrites(memory: MemoryResources, write: Write, live: V1LiveLimits | undefined): void {
  const limit = BigInt(memory.limit ?? 0);
  const followsLimit = limit === -1n && BigInt(memory.swap ?? 0) === 0n;
  const swap = followsLimit ? -1n : BigInt(memory.swap ?? 0);
  if (limit > 0n && swap > 0n && swap < limit) throw invalidLimit('memory+swap limit should be >= memory limit');
  const writeLimit = () => limit !== 0n && write('memory.limit_in_bytes', String(limit));
  const missingSwap = followsLimit ? writeFlags.ignoreFailure : writeFlags.ignoreMissing;
  const writeSwap = () => swap !== 0n && write('memory.memsw.limit_in_bytes', String(swap), missingSwap);
  const raises = live?.memswBytes !== undefined && (swap === -1n || swap > live.memswBytes);
  if (raises) writeSwap();
  writeLimit();
  if (!raises) writeSwap();
  if (memory.reservation) write('memory.soft_limit_in_bytes', String(memory.reservation));
  if (memory.kernelTCP) write('memory.kmem.tcp.limit_in_bytes', String(memory.kernelTCP));
  if (memory.disableOOMKiller) write('memory.oom_control', '1');
  if (memory.swappiness === undefined || BigInt(memory.swappiness) === -1n) return;
  if (memory.swappiness < 0 || memory.swappiness > 100) throw invalidLimit(`invalid memory swappiness value: ${memory.swappiness} (valid range is 0-100)`);
  write('memory.swappiness', String(memory.swappiness));
}

/** The kernel's weights are BFQ's since 5.0, which took CFQ's (blkio.weight, and the leaf weights) with it. */
function blkioWrites(block: NonNullable<ResourcesSpec['blockIO']>, write: Write): void {
  if (block.weight) write('blkio.bfq.weight', String(block.weight), writeFlags.ignoreMissing);
  if (block.leafWeight) write('blkio.leaf_weight', String(block.leafWeight), writeFlags.ignoreMissing);
  for (const device of block.weightDevice ?? []) {
    if (device.weight) write('blkio.bfq.weight_device', `${device.major}:${device.minor} ${device.weight}`, writeFlags.ignoreMissing);
    if (device.leafWeight) write('blkio.leaf_weight_device', `${device.major}:${device.minor} ${device.leafWeight}`, writeFlags.ignoreMissing);
  }
  const throttles = [
    ['read_bps_device', block.throttleReadBpsDevice],
    ['write_bps_device', block.throttleWriteBpsDevice],
    ['read_iops_device', block.throttleReadIOPSDevice],
    ['write_iops_device', block.throttleWriteIOPSDevice],
  ] as const;
  for (const [file, devices] of throttles) for (const { major, minor, rate } of devices ?? []) write(`blkio.throttle.${file}`, `${major}:${minor} ${rate}`);
}
