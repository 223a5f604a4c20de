import { readFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import { cgroupInTree, readCgroupLayout, readOwnCgroups } from '../../kernel/index.ts';
import type { CgroupV1Directory } from '../compile/options.ts';

interface JoinedCgroup {
  readonly v1: readonly CgroupV1Directory[];
  readonly v2: string | undefined;
}

/** Where a process that joins a container goes: the container's cgroup, or those below it that `--cgroup` names. */
export function execCgroup(cgroup: JoinedCgroup, initPid: number, wanted: readonly string[]): JoinedCgroup {
  const subs = parseSubCgroups(wanted);
  const { v1, v2 } = cgroup;
  const everywhere = subs.get('');
  if (v1.length === 0) return { v1, v2: v2 === undefined ? undefined : everywhere === undefined ? joinableV2(v2, initPid) : below(v2, everywhere) };
  if (everywhere !== undefined) return { v1: v1.map(({ name, dir }) => ({ name, dir: below(dir, everywhere) })), v2 };
  return { v1: withSubs(v1, subs), v2 };
}

/** `[CONTROLLER[,CONTROLLER]…:]PATH`, by controller; by the empty name when there is none. Messages are runc's. */
export function parseSubCgroups(args: readonly string[]): ReadonlyMap<string, string> {
  const subs = new Map<string, string>();
  for (const arg of args) {
    const [, names, sub = ''] = /^(?:([^:]*):)?(.*)$/s.exec(arg) ?? [];
    if (names === undefined && args.length !== 1) throw invalid(`invalid --cgroup argument: ${arg} (missing <controller>: prefix)`);
    for (const name of names === undefined ? [''] : names.split(',')) {
      if (names !== undefined && name === '') throw invalid(`invalid --cgroup argument: ${arg} (empty <controller> prefix)`);
      if (subs.has(name)) throw invalid(`invalid --cgroup argument(s): controller ${name} specified multiple times`);
      subs.set(name, sub);
    }
  }
  return subs;
}

/** A hierarchy may have several controllers (`cpu,cpuacct`). */
function withSubs(v1: JoinedCgroup['v1'], subs: ReadonlyMap<string, string>): JoinedCgroup['v1'] {
  const left = new Map(v1.map(({ name, dir }) => [name, dir]));
  for (const [controller, sub] of subs) {
    const hierarchy = v1.find(({ name }) => name.split(',').some((one) => one === controller || `name=${one}` === controller));
    if (hierarchy === undefined) throw invalid(`unknown controller ${controller} in SubCgroupPaths`);
    left.set(hierarchy.name, below(hierarchy.dir, sub));
  }
  return [...left].map(([name, dir]) => ({ name, dir }));
}

function below(dir: string, sub: string): string {
  const joined = path.join(dir, sub).replace(/(?<=.)\/$/, '');
  if (joined !== dir && !joined.startsWith(`${dir}/`)) throw invalid(`bad sub cgroup path: ${sub}`);
  return joined;
}

/** Controllers that limit threads one by one: a cgroup that hands no others on may have processes itself (cgroup-v2.rst, "Threads"). */
const threadedControllers = ['cpu', 'cpuset', 'perf_event', 'pids'];

/**
 * A v2 cgroup that hands controllers on holds no processes (cgroup-v2.rst, "No Internal Process Constraint"), and an init that may write to the tree
 * can leave its cgroup altogether: the init is joined where it is then.
 */
function joinableV2(dir: string, initPid: number): string {
  const handedOn = readIfThere(`${dir}/cgroup.subtree_control`);
  if (handedOn?.split(/\s+/).every((name) => name === '' || threadedControllers.includes(name))) return dir;
  try {
    return cgroupInTree(readCgroupLayout(), readOwnCgroups(initPid)) ?? dir;
  } catch {
    // The init has ended: joining it fails with what is wrong.
    return dir;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}
