import { readFileSync } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { StoredContainer } from '../state/store.ts';

type Cgroup = StoredContainer['cgroup'];

/** Where a process that joins a container goes: the container's cgroup, or those below it that `--cgroup` names. */
export function execCgroup(cgroup: Cgroup, initPid: number, wanted: readonly string[]): Pick<Cgroup, 'v1' | 'v2'> {
  const subs = parseSubCgroups(wanted);
  const { v1, v2 } = cgroup;
  const everywhere = subs.get('');
  if (v1.length === 0) return { v1, v2: v2 === undefined ? undefined : everywhere === undefined ? ownV2(cgroup, v2, initPid) : below(v2, everywhere) };
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
function withSubs(v1: Cgroup['v1'], subs: ReadonlyMap<string, string>): Cgroup['v1'] {
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

/**
 * A v2 cgroup that hands controllers on holds no processes (cgroup-v2.rst, "No Internal Process Constraint"): an init that has moved into a
 * cgroup below, to hand them on, is joined there.
 */
function ownV2({ path: own }: Cgroup, dir: string, initPid: number): string {
  if (readOr(`${dir}/cgroup.subtree_control`).trim() === '') return dir;
  const inits = /^0::(.*)$/m.exec(readOr(`/proc/${initPid}/cgroup`))?.[1];
  return inits?.startsWith(`${own}/`) ? `${dir}${inits.slice(own.length)}` : dir;
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'runtime' } });
}
