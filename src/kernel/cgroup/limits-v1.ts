import { StrakeError } from '../../base/index.ts';
import type { CpuResources, MemoryResources, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { pidsMax } from './conversions.ts';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import { writeControl, writeFlags } from './write.ts';

/** Limits that a live cgroup has, for the order of an update; absent for a new cgroup. */
export interface CurrentLimits {
  /** memory.memsw.limit_in_bytes */
  readonly memswBytes?: bigint | undefined;
}

/** The limits other than devices as writes of v1 control files. FailedPrecondition when a limit's controller is not mounted. */
export function v1LimitOperations(directories: CgroupDirectories, resources: ResourcesSpec, current?: CurrentLimits): readonly Op[] {
  const ops: Op[] = [];
  const within = (controller: string, writes: (write: (file: string, value: string, flags?: number) => void) => void) => {
    const dir = v1DirectoryOf(directories, controller);
    writes((file, value, flags) => {
      if (dir === undefined)
        throw new StrakeError('FailedPrecondition', `cannot set ${file}: the ${controller} cgroup controller is not mounted`, { fields: { layer: 'kernel' } });
      ops.push(writeControl(dir, file, value, flags));
    });
  };
  const { cpu, memory, blockIO, pids, network } = resources;
  if (cpu) within('cpuset', (write) => cpusetWrites(cpu, write));
  if (cpu) within('cpu', (write) => cpuWrites(cpu, write, current !== undefined));
  if (memory) within('memory', (write) => memoryWrites(memory, write, current));
  if (pids?.limit !== undefined) within('pids', (write) => write('pids.max', pidsMax(pids.limit ?? 0)));
  if (blockIO) within('blkio', (write) => blkioWrites(blockIO, write));
  for (const { pageSize, limit } of resources.hugepageLimits ?? [])
    within('hugetlb', (write) => {
      write(`hugetlb.${controlName(pageSize)}.limit_in_bytes`, String(limit));
      write(`hugetlb.${controlName(pageSize)}.rsvd.limit_in_bytes`, String(limit), writeFlags.ignoreMissing);
    });
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {}))
    within('rdma', (write) => write('rdma.max', rdmaLine(device, hcaHandles, hcaObjects)));
  if (network?.classID) within('net_cls', (write) => write('net_cls.classid', String(network.classID)));
  for (const { name, priority } of network?.priorities ?? []) within('net_prio', (write) => write('net_prio.ifpriomap', `${name} ${priority}`));
  if (Object.keys(resources.unified ?? {}).length > 0)
    throw new StrakeError('FailedPrecondition', 'unified resources need cgroup v2, and this machine has its controllers on v1', {
      fields: { layer: 'kernel' },
    });
  return ops;
}

type Write = (file: string, value: string, flags?: number) => void;

function cpusetWrites(cpu: CpuResources, write: Write): void {
  if (cpu.cpus) write('cpuset.cpus', cpu.cpus);
  if (cpu.mems) write('cpuset.mems', cpu.mems);
}

/**
 * Period and quota depend on each other: on a live cgroup a new period may be refused while the old quota stands, so it is tried, and
 * set again after the quota. The real-time pair likewise.
 */
function cpuWrites(cpu: CpuResources, write: Write, live: boolean): void {
  const pair = (period: string, value: string, periodUs: unknown, us: unknown) => {
    if (periodUs) write(period, String(periodUs), live && us ? writeFlags.ignoreFailure : 0);
    if (us) write(value, String(us));
    if (periodUs && us && live) write(period, String(periodUs));
  };
  pair('cpu.rt_period_us', 'cpu.rt_runtime_us', cpu.realtimePeriod, cpu.realtimeRuntime);
  if (cpu.shares) write('cpu.shares', String(cpu.shares));
  if (live && cpu.burst !== undefined) write('cpu.cfs_burst_us', '0', writeFlags.ignoreFailure);
  pair('cpu.cfs_period_us', 'cpu.cfs_quota_us', cpu.period, cpu.quota);
  if (cpu.burst !== undefined) write('cpu.cfs_burst_us', String(cpu.burst), writeFlags.ignoreMissing);
  if (cpu.idle !== undefined) write('cpu.idle', String(cpu.idle));
}

/**
 * memory.limit ≤ memory.memsw.limit holds at every moment: a new cgroup gets the limit first; a live one gets the greater of the two first.
 * memsw is missing on kernels without swap accounting, where docker drops the limit too.
 */
function memoryWrites(memory: MemoryResources, write: Write, current: CurrentLimits | undefined): void {
  const limit = BigInt(memory.limit ?? 0);
  let swap = BigInt(memory.swap ?? 0);
  if (limit === -1n && swap === 0n) swap = -1n;
  if (limit > 0n && swap > 0n && swap < limit)
    throw new StrakeError('InvalidArgument', 'memory+swap limit should be >= memory limit', { fields: { layer: 'kernel' } });
  const writeLimit = () => limit !== 0n && write('memory.limit_in_bytes', String(limit));
  const writeSwap = () => swap !== 0n && write('memory.memsw.limit_in_bytes', String(swap), writeFlags.ignoreMissing);
  const raises = current?.memswBytes !== undefined && (swap === -1n || swap > current.memswBytes);
  if (raises) writeSwap();
  writeLimit();
  if (!raises) writeSwap();
  if (memory.reservation) write('memory.soft_limit_in_bytes', String(memory.reservation));
  if (memory.kernelTCP) write('memory.kmem.tcp.limit_in_bytes', String(memory.kernelTCP));
  if (memory.disableOOMKiller) write('memory.oom_control', '1');
  if (memory.swappiness === undefined || BigInt(memory.swappiness) === -1n) return;
  if (memory.swappiness < 0 || memory.swappiness > 100)
    throw new StrakeError('InvalidArgument', `invalid memory swappiness ${memory.swappiness}, the range is 0-100`, { fields: { layer: 'kernel' } });
  write('memory.swappiness', String(memory.swappiness));
}

/** The weight's file is blkio.weight (CFQ, to 4.x) or blkio.bfq.weight; where neither is, docker drops the weight too. */
function blkioWrites(block: NonNullable<ResourcesSpec['blockIO']>, write: Write): void {
  const weight = (file: string, value: string) => {
    write(`blkio.${file}`, value, writeFlags.ignoreMissing);
    write(`blkio.bfq.${file}`, value, writeFlags.ignoreMissing);
  };
  if (block.weight) weight('weight', String(block.weight));
  if (block.leafWeight) write('blkio.leaf_weight', String(block.leafWeight), writeFlags.ignoreMissing);
  for (const device of block.weightDevice ?? []) {
    if (device.weight) weight('weight_device', `${device.major}:${device.minor} ${device.weight}`);
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

/** One line of rdma.max. */
export function rdmaLine(device: string, handles: number | undefined, objects: number | undefined): string {
  const parts = [controlName(device)];
  if (handles !== undefined) parts.push(`hca_handle=${handles}`);
  if (objects !== undefined) parts.push(`hca_object=${objects}`);
  return parts.join(' ');
}

/** A name from the configuration that becomes part of a control file's name or line. */
export function controlName(name: string): string {
  if (!/^[\w.-]+$/.test(name)) throw new StrakeError('InvalidArgument', `invalid name in resources: ${JSON.stringify(name)}`, { fields: { layer: 'kernel' } });
  return name;
}
