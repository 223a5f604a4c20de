import { StrakeError } from '../../base/index.ts';
import type { CpuResources, MemoryResources, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { cpuWeightOfShares, ioWeightOfBlkioWeight, pidsMax, v2Limit, v2SwapLimit } from './conversions.ts';
import { controlName, rdmaLine } from './limits-v1.ts';
import { writeControl, writeFlags } from './write.ts';

/** The kernel's default of cpu.max (Documentation/admin-guide/cgroup-v2.rst). */
const defaultPeriodUs = 100_000;

/** The limits other than devices as writes of v2 control files below `dir`. */
export function v2LimitOperations(dir: string, resources: ResourcesSpec): readonly Op[] {
  const ops: Op[] = [];
  const write: Write = (file, value, flags) => ops.push(writeControl(dir, file, value, flags));
  const { cpu, memory, pids, blockIO } = resources;
  if (cpu?.cpus) write('cpuset.cpus', cpu.cpus);
  if (cpu?.mems) write('cpuset.mems', cpu.mems);
  if (cpu) cpuWrites(cpu, write);
  if (memory) memoryWrites(memory, write);
  if (pids?.limit !== undefined) write('pids.max', pidsMax(pids.limit));
  if (blockIO) ioWrites(blockIO, write);
  for (const { pageSize, limit } of resources.hugepageLimits ?? []) {
    write(`hugetlb.${controlName(pageSize)}.max`, String(limit));
    write(`hugetlb.${controlName(pageSize)}.rsvd.max`, String(limit), writeFlags.ignoreMissing);
  }
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {})) write('rdma.max', rdmaLine(device, hcaHandles, hcaObjects));
  for (const [file, content] of Object.entries(resources.unified ?? {}))
    for (const line of content.split('\n')) if (line !== '') write(unifiedName(file), line);
  return ops;
}

type Write = (file: string, value: string, flags?: number) => void;

function cpuWrites(cpu: CpuResources, write: Write): void {
  if (cpu.idle !== undefined) write('cpu.idle', String(cpu.idle));
  // an idle group has no weight to set
  const weight = cpuWeightOfShares(cpu.shares ?? 0);
  if (weight !== 0 && !cpu.idle) write('cpu.weight', String(weight));
  // refused while it exceeds the quota that still stands, so once before and, with a quota, once after
  const hasMax = Boolean(cpu.quota) || Boolean(cpu.period);
  if (cpu.burst !== undefined) write('cpu.max.burst', String(cpu.burst), hasMax ? writeFlags.ignoreFailure : 0);
  if (!hasMax) return;
  const quota = cpu.quota !== undefined && cpu.quota > 0 ? String(cpu.quota) : 'max';
  write('cpu.max', `${quota} ${cpu.period || defaultPeriodUs}`);
  if (cpu.burst !== undefined) write('cpu.max.burst', String(cpu.burst));
}

/** Swap first: a process must not swap out what the lower memory limit pushes out when swap is to be off. */
function memoryWrites(memory: MemoryResources, write: Write): void {
  const swap = v2SwapLimit(memory.limit, memory.swap);
  if (swap !== undefined) write('memory.swap.max', v2Limit(swap), writeFlags.ignoreMissing);
  if (memory.limit) write('memory.max', v2Limit(memory.limit));
  if (memory.reservation) write('memory.low', v2Limit(memory.reservation));
}

/** BFQ's own weight has v1's range; io.weight is the kernel's general one. Whichever the kernel has takes effect. */
function ioWrites(block: NonNullable<ResourcesSpec['blockIO']>, write: Write): void {
  if (block.weight) {
    write('io.bfq.weight', String(block.weight), writeFlags.ignoreMissing);
    write('io.weight', String(ioWeightOfBlkioWeight(block.weight)), writeFlags.ignoreMissing);
  }
  for (const { major, minor, weight } of block.weightDevice ?? []) if (weight) write('io.bfq.weight', `${major}:${minor} ${weight}`, writeFlags.ignoreMissing);
  const throttles = [
    ['rbps', block.throttleReadBpsDevice],
    ['wbps', block.throttleWriteBpsDevice],
    ['riops', block.throttleReadIOPSDevice],
    ['wiops', block.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices] of throttles) for (const { major, minor, rate } of devices ?? []) write('io.max', `${major}:${minor} ${key}=${rate || 'max'}`);
}

function unifiedName(file: string): string {
  if (!/^[a-z][\w]*\.[\w.-]+$/.test(file) || file.startsWith('cgroup.'))
    throw new StrakeError('InvalidArgument', `invalid unified resource ${JSON.stringify(file)}`, { fields: { layer: 'kernel' } });
  return file;
}
