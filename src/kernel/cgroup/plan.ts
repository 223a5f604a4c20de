import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DeviceRule, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { compileDeviceProgram } from './device-program.ts';
import { deviceLine, devicePolicy } from './device-rules.ts';
import { type CgroupDirectories, cgroupDirectories, cgroupParts, oomFile, v1DirectoryOf } from './directories.ts';
import { freezeOperations } from './freezer.ts';
import { type CgroupLayout, v1HierarchyOf } from './layout.ts';
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

/** CPUs and memory nodes that a new v1 cpuset must be given before a process can enter it. */
export interface InheritedCpuset {
  readonly cpus: string;
  readonly mems: string;
  /** how many of the cgroup path's directories have their own already */
  readonly depth: number;
}

export interface PlanCgroupOptions {
  readonly layout: CgroupLayout;
  /** from the hierarchies' root: `/strake/ID` */
  readonly path: string;
  readonly resources?: ResourcesSpec | undefined;
  /** what `readInheritedCpuset` found; needed where the v1 cpuset controller is mounted */
  readonly cpuset?: InheritedCpuset | undefined;
}

/** Compiles a container's cgroup to operations. Pure. */
export function planCgroup(options: PlanCgroupOptions): CgroupPlan {
  const { layout, resources = {} } = options;
  const directories = cgroupDirectories(layout, options.path);
  const parts = cgroupParts(options.path);
  return {
    v1: directories.v1.map(({ name, dir }) => ({ name, dir })),
    v1Links: layout.v1.flatMap(({ name, controllers }) =>
      controllers.length > 1 ? controllers.filter((one) => one !== name).map((one) => [one, name] as const) : [],
    ),
    v2: directories.v2,
    create: [
      ...makeDirectories(layout, directories, parts, options.cpuset),
      ...limitOperations(layout, directories, resources),
      ...deviceOperations(layout, directories, resources.devices ?? []),
    ],
    initAttach: initAttachOperations(directories.v1.map(({ dir }) => dir)),
    attach: allDirectories(directories).map((dir) => ({ op: 'cgroup_attach', side: 'host', dir })),
    cleanup: cleanupOperations(directories),
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

/** The limits without devices; for a live cgroup see `updateOperations`. */
export function limitOperations(layout: CgroupLayout, directories: CgroupDirectories, resources: ResourcesSpec): readonly Op[] {
  if (layout.kind === 'v2' && directories.v2) return v2LimitOperations(directories.v2, resources);
  return v1LimitOperations(directories, resources);
}

export interface LiveLimits {
  readonly memswBytes: bigint | undefined;
}

/** Changes the limits of a live cgroup; device rules stay as they are. On v1 pass what `readLiveLimits` found. */
export function updateOperations(layout: CgroupLayout, cgroupPath: string, resources: ResourcesSpec, live: LiveLimits): readonly Op[] {
  const directories = cgroupDirectories(layout, cgroupPath);
  if (layout.kind === 'v2' && directories.v2) return v2LimitOperations(directories.v2, resources);
  return v1LimitOperations(directories, resources, live);
}

/** What the order of a v1 update depends on. */
export function readLiveLimits(layout: CgroupLayout, cgroupPath: string): LiveLimits {
  const memory = v1DirectoryOf(cgroupDirectories(layout, cgroupPath), 'memory');
  const text = memory && readIfThere(`${memory}/memory.memsw.limit_in_bytes`);
  return { memswBytes: text ? BigInt(text) : undefined };
}

/** The nearest ancestor's CPUs and memory nodes; undefined where the v1 cpuset controller is not mounted. */
export function readInheritedCpuset(layout: CgroupLayout, cgroupPath: string): InheritedCpuset | undefined {
  const root = v1HierarchyOf(layout, 'cpuset')?.mountpoint;
  if (root === undefined) return undefined;
  const parts = cgroupParts(cgroupPath);
  let found: InheritedCpuset = { cpus: readIfThere(`${root}/cpuset.cpus`) ?? '', mems: readIfThere(`${root}/cpuset.mems`) ?? '', depth: 0 };
  for (let depth = 1; depth <= parts.length; depth++) {
    const dir = path.join(root, ...parts.slice(0, depth));
    const cpus = readIfThere(`${dir}/cpuset.cpus`);
    const mems = readIfThere(`${dir}/cpuset.mems`);
    if (!cpus || !mems) break;
    found = { cpus, mems, depth };
  }
  return found;
}

function makeDirectories(layout: CgroupLayout, directories: CgroupDirectories, parts: readonly string[], cpuset: InheritedCpuset | undefined): readonly Op[] {
  const ops: Op[] = [];
  for (const { controllers, mountpoint, dir } of directories.v1) {
    if (!controllers.includes('cpuset') || !cpuset) {
      ops.push(makeDirectory(dir));
      continue;
    }
    for (let depth = cpuset.depth + 1; depth <= parts.length; depth++) {
      const level = path.join(mountpoint, ...parts.slice(0, depth));
      ops.push(makeDirectory(level), writeControl(level, 'cpuset.cpus', cpuset.cpus), writeControl(level, 'cpuset.mems', cpuset.mems));
    }
    if (cpuset.depth >= parts.length) ops.push(makeDirectory(dir));
  }
  if (!directories.v2 || !layout.v2) return ops;
  // a controller reaches a cgroup only through every ancestor's cgroup.subtree_control; one at a time, as one that cannot be enabled would refuse all
  for (let depth = 0; depth < parts.length; depth++) {
    const level = path.join(layout.v2.mountpoint, ...parts.slice(0, depth));
    if (depth > 0) ops.push(makeDirectory(level));
    for (const controller of layout.v2.controllers) ops.push(writeControl(level, 'cgroup.subtree_control', `+${controller}`, writeFlags.ignoreFailure));
  }
  ops.push(makeDirectory(directories.v2));
  return ops;
}

function makeDirectory(dir: string): Op {
  return { op: 'mkdir', side: 'host', path: dir, mode: 0o755 };
}

function deviceOperations(layout: CgroupLayout, directories: CgroupDirectories, rules: readonly DeviceRule[]): readonly Op[] {
  if (rules.length === 0) return [];
  const policy = devicePolicy(rules);
  if (policy.defaultAllow && policy.exceptions.length === 0) return [];
  if (layout.kind === 'v2' && directories.v2) return [{ op: 'cgroup_device', side: 'host', dir: directories.v2, program: compileDeviceProgram(policy) }];
  const dir = v1DirectoryOf(directories, 'devices');
  if (dir === undefined) return [];
  const ops: Op[] = policy.defaultAllow ? [] : [writeControl(dir, 'devices.deny', 'a')];
  for (const exception of policy.exceptions) ops.push(writeControl(dir, policy.defaultAllow ? 'devices.deny' : 'devices.allow', deviceLine(exception)));
  return ops;
}

/** A frozen v1 cgroup does not die of SIGKILL, so it is thawed first. */
function cleanupOperations(directories: CgroupDirectories): readonly Op[] {
  const killable = directories.v2 ?? v1DirectoryOf(directories, 'pids') ?? directories.v1[0]?.dir;
  const ops: Op[] = freezeOperations(directories, false).map((op) => (op.op === 'write_file' ? { ...op, flags: writeFlags.ignoreFailure } : op));
  if (killable) ops.push({ op: 'cgroup_kill', side: 'host', dir: killable, timeoutMs: removeTimeoutMs });
  for (const dir of allDirectories(directories)) ops.push({ op: 'rmdir', side: 'host', path: dir, timeoutMs: removeTimeoutMs });
  return ops;
}

function allDirectories(directories: CgroupDirectories): readonly string[] {
  return [...directories.v1.map(({ dir }) => dir), ...(directories.v2 ? [directories.v2] : [])];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
