import type { CpuResources, Int64, MemoryResources, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { checkCpuShares, cpuWeightOfShares, ioWeightOfBlkioWeight, pidsMax, v2Limit, v2SwapLimit } from './conversions.ts';
import { cannotSetLimit, controlName, invalidLimit, rdmaLine } from './limit-errors.ts';
import { writeControl, writeEither, writeFlags } from './write.ts';

/** The kernel's default of cpu.max (Documentation/admin-guide/cgroup-v2.rst). */
const defaultPeriodUs = 100_000;

export interface V2LimitOptions {
  /** what the tree can hand out: cgroup.controllers */
  readonly controllers: readonly string[];
  /** of a cgroup that is in use: what a changed limit shares a file with, or is counted against */
  readonly live?: V2LiveLimits | undefined;
  /** a limit that this kernel has no file for, or v2 no meaning, is left out */
  readonly lenient?: boolean | undefined;
}

export interface V2LiveLimits {
  /** memory.max; undefined for no limit */
  readonly memoryBytes: bigint | undefined;
  /** the two halves of cpu.max */
  readonly quota: string;
  readonly period: string;
}

/** The limits other than devices as writes of v2 control files below `dir`. FailedPrecondition for a limit whose controller the tree does not have. */
export function v2LimitOperations(dir: string, resources: ResourcesSpec, options: V2LimitOptions): readonly Op[] {
  const ops: Op[] = [];
  const { live, lenient } = options;
  const needs = (controller: string) => {
    if (!options.controllers.includes(controller)) throw cannotSetLimit(controller);
  };
  const write: Write = (file, value, flags = 0) => {
    needs(file.split('.')[0] ?? '');
    ops.push(writeControl(dir, file, value, lenient ? flags : flags & ~writeFlags.ignoreMissing));
  };
  const { cpu, memory, pids, blockIO } = resources;
  if (!lenient) refuseV1Only(resources);
  if (pids?.limit !== undefined) write('pids.max', pidsMax(pids.limit));
  if (blockIO) {
    if (blockIO.weight || blockIO.weightDevice?.length) needs('io');
    ops.push(...weightWrites(dir, blockIO, lenient ? writeFlags.ignoreMissing : 0));
    throttleWrites(blockIO, write);
  }
  if (cpu) cpuWrites(cpu, write, live);
  if (cpu?.cpus) write('cpuset.cpus', cpu.cpus);
  if (cpu?.mems) write('cpuset.mems', cpu.mems);
  for (const { pageSize, limit } of resources.hugepageLimits ?? []) {
    write(`hugetlb.${controlName(pageSize)}.max`, String(limit));
    // reservations are counted since 5.7; without them the limit above is all there is
    write(`hugetlb.${controlName(pageSize)}.rsvd.max`, String(limit), writeFlags.ignoreFailure);
  }
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(resources.rdma ?? {})) write('rdma.max', rdmaLine(device, hcaHandles, hcaObjects));
  if (memory) memoryWrites(memory, write, live);
  for (const [file, content] of Object.entries(resources.unified ?? {})) {
    unifiedName(file, options.controllers);
    ops.push(writeControl(dir, file, content, writeFlags.lines));
  }
  return ops;
}

type Write = (file: string, value: string, flags?: number) => void;

/** What only v1 can limit would be silently without effect. */
function refuseV1Only({ memory, cpu, network, blockIO }: ResourcesSpec): void {
  const given: readonly (readonly [string, boolean])[] = [
    ['memory.kernelTCP', Boolean(memory?.kernelTCP)],
    ['memory.swappiness', memory?.swappiness !== undefined && BigInt(memory.swappiness) !== -1n],
    ['memory.disableOOMKiller', memory?.disableOOMKiller === true],
    ['cpu.realtimeRuntime', Boolean(cpu?.realtimeRuntime)],
    ['cpu.realtimePeriod', Boolean(cpu?.realtimePeriod)],
    ['network.classID', Boolean(network?.classID)],
    ['network.priorities', (network?.priorities ?? []).length > 0],
    ['blockIO.leafWeight', Boolean(blockIO?.leafWeight) || (blockIO?.weightDevice ?? []).some(({ leafWeight }) => leafWeight)],
  ];
  for (const [field, present] of given) if (present) throw invalidLimit(`linux.resources.${field}: cgroup v2 cannot do this`);
}

function cpuWrites(cpu: CpuResources, write: Write, live: V2LiveLimits | undefined): void {
  if (cpu.idle !== undefined) write('cpu.idle', String(cpu.idle));
  // an idle group has no weight to set
  const weight = cpuWeightOfShares(cpu.shares ? checkCpuShares(cpu.shares) : 0);
  if (weight !== 0 && !cpu.idle) write('cpu.weight', String(weight));
  // refused while it exceeds the quota that still stands, so once before and, with a quota, once after
  const hasMax = Boolean(cpu.quota) || Boolean(cpu.period);
  if (cpu.burst !== undefined) write('cpu.max.burst', String(cpu.burst), hasMax ? writeFlags.ignoreFailure : 0);
  if (!hasMax) return;
  write('cpu.max', `${cpuQuota(cpu.quota, live)} ${cpu.period || (live?.period ?? defaultPeriodUs)}`);
  if (cpu.burst !== undefined) write('cpu.max.burst', String(cpu.burst));
}

/** Both halves of cpu.max are written: the one that is not given keeps its value. */
function cpuQuota(quota: Int64 | undefined, live: V2LiveLimits | undefined): string {
  if (!quota) return live?.quota ?? 'max';
  return quota > 0 ? String(quota) : 'max';
}

/** Swap first: a process must not swap out what the lower memory limit pushes out when swap is to be off. */
function memoryWrites(memory: MemoryResources, write: Write, live: V2LiveLimits | undefined): void {
  const swap = v2SwapLimit(memory.limit || live?.memoryBytes, memory.swap);
  // Where swap is not counted there is none to forbid or allow without end.
  if (swap !== undefined) write('memory.swap.max', v2Limit(swap), swap <= 0n ? writeFlags.ignoreFailure : writeFlags.ignoreMissing);
  if (memory.limit) write('memory.max', v2Limit(memory.limit));
  if (memory.reservation) write('memory.low', v2Limit(memory.reservation));
}

/** BFQ's own weight has v1's range; io.weight is the kernel's general one. */
function weightWrites(dir: string, block: NonNullable<ResourcesSpec['blockIO']>, flags: number): readonly Op[] {
  const write = (bfq: string, general: string) => writeEither(dir, ['io.bfq.weight', bfq], ['io.weight', general], flags);
  return [
    ...(block.weight ? [write(String(block.weight), String(ioWeightOfBlkioWeight(block.weight)))] : []),
    ...(block.weightDevice ?? []).flatMap(({ major, minor, weight }) =>
      weight ? [write(`${major}:${minor} ${weight}`, `${major}:${minor} ${ioWeightOfBlkioWeight(weight)}`)] : [],
    ),
  ];
}

function throttleWrites(block: NonNullable<ResourcesSpec['blockIO']>, write: Write): void {
  const throttles = [
    ['rbps', block.throttleReadBpsDevice],
    ['wbps', block.throttleWriteBpsDevice],
    ['riops', block.throttleReadIOPSDevice],
    ['wiops', block.throttleWriteIOPSDevice],
  ] as const;
  for (const [key, devices] of throttles) for (const { major, minor, rate } of devices ?? []) write('io.max', `${major}:${minor} ${key}=${rate || 'max'}`);
}

/** Files that are no settings: what is written there moves or kills processes. */
const notSettings: readonly string[] = ['cgroup.procs', 'cgroup.threads', 'cgroup.kill'];

function unifiedName(file: string, controllers: readonly string[]): void {
  const quoted = JSON.stringify(file);
  if (file.includes('/')) throw invalidLimit(`unified resource ${quoted} must be a file name (no slashes)`);
  const [controller = '', ...rest] = file.split('.');
  if (rest.length === 0) throw invalidLimit(`unified resource ${quoted} must be in the form CONTROLLER.PARAMETER`);
  if (!/^[a-z]\w*(\.[\w-]+)+$/.test(file) || notSettings.includes(file)) throw invalidLimit(`invalid unified resource ${quoted}`);
  if (controller !== 'cgroup' && !controllers.includes(controller))
    throw invalidLimit(`unified resource ${quoted} can't be set: controller ${JSON.stringify(controller)} not available`);
}
