import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type CgroupDirectories, cgroupLevels } from './directories.ts';
import type { CgroupLayout } from './layout.ts';

/** CPUs and memory nodes that a new v1 cpuset must be given before a process can enter it. */
export interface InheritedCpuset {
  readonly cpus: string;
  readonly mems: string;
  /** how many of the directories below the mount point, outermost first, have their own already */
  readonly depth: number;
}

/** What of a container's cgroups is there before it is made: what a new one inherits. */
export interface ExistingCgroups {
  /** the nearest ancestor's; undefined where the v1 cpuset controller is not mounted */
  readonly cpuset: InheritedCpuset | undefined;
  /** v2: the controllers that an ancestor hands down already, by its directory; none for one that is not there yet */
  readonly handedDown: ReadonlyMap<string, readonly string[]>;
  /** v2: an ancestor, or the cgroup itself, that takes no processes under controllers of domains: its directory and cgroup.type */
  readonly threaded?: { readonly dir: string; readonly type: string } | undefined;
}

export function readExistingCgroups(layout: CgroupLayout, directories: CgroupDirectories): ExistingCgroups {
  const handedDown = readHandedDown(layout, directories);
  return { cpuset: readInheritedCpuset(directories), handedDown, threaded: readThreaded(layout, directories, handedDown) };
}

function readInheritedCpuset(directories: CgroupDirectories): InheritedCpuset | undefined {
  const cpuset = directories.v1.find(({ controllers }) => controllers.includes('cpuset'));
  if (cpuset === undefined) return undefined;
  const { mountpoint, dir } = cpuset;
  let found: InheritedCpuset = { cpus: readIfThere(`${mountpoint}/cpuset.cpus`) ?? '', mems: readIfThere(`${mountpoint}/cpuset.mems`) ?? '', depth: 0 };
  for (const [index, level] of cgroupLevels(mountpoint, dir).entries()) {
    const cpus = readIfThere(`${level}/cpuset.cpus`);
    const mems = readIfThere(`${level}/cpuset.mems`);
    if (!cpus || !mems) break;
    found = { cpus, mems, depth: index + 1 };
  }
  return found;
}

function readHandedDown(layout: CgroupLayout, directories: CgroupDirectories): ReadonlyMap<string, readonly string[]> {
  const handedDown = new Map<string, readonly string[]>();
  if (!layout.v2 || !directories.v2 || layout.v2.controllers.length === 0) return handedDown;
  const { mountpoint } = layout.v2;
  for (const dir of [mountpoint, ...cgroupLevels(mountpoint, path.dirname(directories.v2))]) {
    const text = readIfThere(`${dir}/cgroup.subtree_control`);
    if (text === undefined) break;
    handedDown.set(dir, text.split(' '));
  }
  return handedDown;
}

function readThreaded(layout: CgroupLayout, { v2 }: CgroupDirectories, handedDown: ReadonlyMap<string, unknown>): ExistingCgroups['threaded'] {
  // The root has no type; what is not there yet will be of its parent's kind.
  for (const dir of v2 === undefined ? [] : [...handedDown.keys(), v2]) {
    if (dir === layout.v2?.mountpoint || layout.kind !== 'v2') continue;
    const type = readIfThere(`${dir}/cgroup.type`);
    if (type !== undefined && type !== 'domain') return { dir, type };
  }
  return undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
