import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { DeviceRule, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { compileDeviceProgram } from './device-program.ts';
import { deviceLine, devicePolicy } from './device-rules.ts';
import { allDirectories, type CgroupDirectories, cgroupLevels, oomFile, v1DirectoryOf } from './directories.ts';
import type { ExistingCgroups } from './existing.ts';
import { freezeOperations } from './freezer.ts';
import type { CgroupLayout, V2Tree } from './layout.ts';
import { v1LimitOperations } from './limits-v1.ts';
import { v2LimitOperations } from './limits-v2.ts';
import { writeControl, writeFlags } from './write.ts';

/** How long the kernel may take to let the last process of a cgroup go. */
const removeTimeoutMs = 5_000;

/** Everything that a launch does with cgroups. */
export interface CgroupPlan {
  /** the container's v1 directories; empty on pure v2 */
  readonly v1: readonly { readonly name: string; readonly dir: string }[];
  /** other names of co-mounted hierarchies: pairs of name and target (`cpu` → `cpu,cpuacct`) */
  readonly v1Links: readonly (readonly [string, string])[];
  /** the container's v2 directory: for CLONE_INTO_CGROUP; undefined on pure v1 */
  readonly v2: string | undefined;
  /** makes the directories and writes the limits; before the init exists */
  readonly create: readonly Op[];
  /** the init joins every v1 hierarchy itself; first thing on its side, before it leaves the host's cgroup namespace or changes user */
  readonly initAttach: readonly Op[];
  /** the monitor moves the init into every hierarchy, v2 too; several ms dearer than `initAttach` with CLONE_INTO_CGROUP */
  readonly attach: readonly Op[];
  /** kills what is left and removes the directories; after the init has ended */
  readonly cleanup: readonly Op[];
  /** for the monitor operation's oom_file; empty when there is none */
  readonly oomFile: string;
}

/** To whom a v2 cgroup is given, so that the container may divide it (cgroups(7), "Cgroups delegation"). */
export interface Delegation {
  /** as the host counts */
  readonly uid: number;
  /** names in /sys/kernel/cgroup/delegate */
  readonly files: readonly string[];
}

export interface PlanCgroupOptions {
  readonly layout: CgroupLayout;
  readonly directories: CgroupDirectories;
  readonly resources?: ResourcesSpec | undefined;
  readonly existing: ExistingCgroups;
  /** v2 alone */
  readonly delegation?: Delegation | undefined;
  /** a limit that this kernel has no file for is left out, as Docker does; otherwise it fails the program, as in runc */
  readonly lenient?: boolean | undefined;
}

/** Compiles a container's cgroup to operations. Pure. Throws FailedPrecondition for a limit that the machine has no controller for. */
export function planCgroup(options: PlanCgroupOptions): CgroupPlan {
  const { layout, directories, existing, resources = {} } = options;
  checkDomain(existing, resources);
  return {
    v1: directories.v1.map(({ name, dir }) => ({ name, dir })),
    v1Links: layout.v1.flatMap(({ name, controllers }) =>
      controllers.length > 1 ? controllers.filter((one) => one !== name).map((one) => [one, name] as const) : [],
    ),
    v2: directories.v2,
    create: [
      ...makeV1Directories(directories, existing, resources),
      ...makeV2Directories(layout.v2, directories.v2, existing, options.delegation),
      ...deviceOperations(layout, directories, resources.devices ?? []),
      ...limitOperations(options, resources),
    ],
    initAttach: initAttachOperations(directories.v1.map(({ dir }) => dir)),
    attach: allDirectories(directories).map((dir) => ({ op: 'cgroup_attach', side: 'host', dir })),
    cleanup: cgroupCleanup(directories),
    oomFile: oomFile(directories) ?? '',
  };
}

/**
 * "0" written to `tasks` moves the writing thread alone, which takes no global lock; a pid written to cgroup.procs waits for an RCU grace
 * period (6–10 ms on an idle machine, cgroup_threadgroup_rwsem).
 */
export function initAttachOperations(v1Directories: readonly string[]): readonly Op[] {
  return v1Directories.map((dir) => ({ op: 'write_file', side: 'init', path: `${dir}/tasks`, data: Buffer.from('0') }));
}

/** Kills what is left in a cgroup and removes it. A frozen v1 cgroup does not die of SIGKILL, so it is thawed first. */
export function cgroupCleanup(directories: CgroupDirectories): readonly Op[] {
  return [
    ...cgroupKillOperations(directories),
    ...allDirectories(directories).map((dir): Op => ({ op: 'rmdir', side: 'host', path: dir, timeoutMs: removeTimeoutMs })),
  ];
}

/** Kills every process in a cgroup and below it, and waits until none is left. */
export function cgroupKillOperations(directories: CgroupDirectories): readonly Op[] {
  const killable = directories.v2 ?? v1DirectoryOf(directories, 'pids') ?? directories.v1[0]?.dir;
  if (killable === undefined) return [];
  return [...thawOperations(directories), { op: 'cgroup_kill', side: 'host', dir: killable, timeoutMs: removeTimeoutMs }];
}

/** Thaws what may not be frozen, or gone. */
export function thawOperations(directories: CgroupDirectories): readonly Op[] {
  return freezeOperations(directories, false).map((op) => (op.op === 'write_file' ? { ...op, flags: writeFlags.ignoreFailure } : op));
}

/** The limits without devices. */
function limitOperations({ layout, directories, lenient }: PlanCgroupOptions, resources: ResourcesSpec): readonly Op[] {
  if (layout.kind === 'v2' && directories.v2) return v2LimitOperations(directories.v2, resources, { controllers: layout.v2?.controllers ?? [], lenient });
  return v1LimitOperations(directories, resources, { lenient });
}

/** A cgroup of threads limits processor time and counts processes alone (cgroups(7), "Thread mode"). Messages are runc's. */
function checkDomain({ threaded }: ExistingCgroups, { memory, blockIO, cpu, hugepageLimits }: ResourcesSpec): void {
  const isAsked = [memory, blockIO, cpu, hugepageLimits].some((group) => Object.values(group ?? {}).some((value) => value !== undefined));
  if (threaded === undefined || !isAsked) return;
  const state = threaded.type === 'domain invalid' ? 'it is in an invalid state' : `it is in ${threaded.type} mode`;
  const message = `cannot enter cgroupv2 ${JSON.stringify(threaded.dir)} with domain controllers -- ${state}`;
  throw new StrakeError('FailedPrecondition', message, { fields: { layer: 'kernel' } });
}

function makeV1Directories(directories: CgroupDirectories, { cpuset }: ExistingCgroups, { cpu }: ResourcesSpec): readonly Op[] {
  const ops: Op[] = [];
  for (const { controllers, mountpoint, dir } of directories.v1) {
    if (!controllers.includes('cpuset') || !cpuset) {
      ops.push(makeDirectory(dir));
      continue;
    }
    const missing = cgroupLevels(mountpoint, dir).slice(cpuset.depth);
    for (const level of missing) {
      // The container's own may conflict with what it would inherit (cpuset.cpu_exclusive of a sibling): it gets its limits at once.
      const own = level === dir ? cpu : undefined;
      ops.push(
        makeDirectory(level),
        writeControl(level, 'cpuset.cpus', own?.cpus || cpuset.cpus),
        writeControl(level, 'cpuset.mems', own?.mems || cpuset.mems),
      );
    }
    if (missing.length > 0) continue;
    ops.push(makeDirectory(dir));
    if (cpu?.cpus) ops.push(writeControl(dir, 'cpuset.cpus', cpu.cpus));
    if (cpu?.mems) ops.push(writeControl(dir, 'cpuset.mems', cpu.mems));
  }
  return ops;
}

/** A controller reaches a cgroup only through every ancestor's cgroup.subtree_control; one at a time, as one that cannot be enabled would refuse all. */
function makeV2Directories(tree: V2Tree | undefined, dir: string | undefined, existing: ExistingCgroups, delegation: Delegation | undefined): readonly Op[] {
  if (!tree || !dir) return [];
  const ops: Op[] = [];
  for (const level of [tree.mountpoint, ...cgroupLevels(tree.mountpoint, path.dirname(dir))]) {
    const handedDown = existing.handedDown.get(level);
    if (handedDown === undefined && level !== tree.mountpoint && tree.controllers.length > 0) ops.push(makeDirectory(level));
    const missing = tree.controllers.filter((controller) => !handedDown?.includes(controller));
    const flags = writeFlags.lines | writeFlags.ignoreFailure;
    if (missing.length > 0) ops.push(writeControl(level, 'cgroup.subtree_control', missing.map((controller) => `+${controller}`).join('\n'), flags));
  }
  const given = delegation === undefined ? {} : { owner: delegation.uid, delegate: delegation.files };
  return [...ops, { op: 'mkdir', side: 'host', path: dir, mode: 0o755, ...given }];
}

function makeDirectory(dir: string): Op {
  return { op: 'mkdir', side: 'host', path: dir, mode: 0o755 };
}

/** Without v1's controller the rules are a program of the v2 tree, which needs none. */
function deviceOperations(layout: CgroupLayout, directories: CgroupDirectories, rules: readonly DeviceRule[]): readonly Op[] {
  const policy = devicePolicy(rules);
  if (policy.defaultAllow && policy.exceptions.length === 0) return [];
  const dir = layout.kind === 'v2' ? undefined : v1DirectoryOf(directories, 'devices');
  if (dir === undefined && directories.v2) return [{ op: 'cgroup_device', side: 'host', dir: directories.v2, program: compileDeviceProgram(policy) }];
  if (dir === undefined) throw new StrakeError('FailedPrecondition', 'mountpoint for devices not found', { fields: { layer: 'runtime' } });
  const ops: Op[] = policy.defaultAllow ? [] : [writeControl(dir, 'devices.deny', 'a')];
  if (policy.exceptions.length === 0) return ops;
  const lines = policy.exceptions.map(deviceLine).join('\n');
  return [...ops, writeControl(dir, policy.defaultAllow ? 'devices.deny' : 'devices.allow', lines, writeFlags.lines)];
}
