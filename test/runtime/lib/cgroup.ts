import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies } from '../../lib/cgroups.ts';
import type { World } from '../../lib/world.ts';

/** A container's cgroup, whatever the machine's layout: each hierarchy's directory by controller; `` (empty) is the v2 tree. */
export interface ContainerCgroup {
  readonly directories: ReadonlyMap<string, string>;
}

interface Hierarchy {
  readonly controllers: readonly string[];
  readonly mountpoint: string;
}

/** Reads where the process is. Paths are those of the machine, and are good outside of the world. */
export function containerCgroup(world: World, pid: number): ContainerCgroup {
  const mounted = worldHierarchies(world);
  const directories = new Map<string, string>();
  for (const line of world.proc(pid, 'cgroup').trim().split('\n')) {
    const [, names = '', ...rest] = line.split(':');
    const inWorld = rest.join(':').replace(new RegExp(`^/${world.cgroup}(?=/|$)`), '');
    for (const name of names.split(',')) {
      const hierarchy = mounted.find(({ controllers }) => controllers.includes(name));
      if (hierarchy) directories.set(name, join(`/proc/${world.pid}/root`, hierarchy.mountpoint, inWorld));
    }
  }
  return { directories };
}

/** `v2` where the v2 tree has all controllers: for what one version alone has. */
export const cgroupVersion: 'v1' | 'v2' = hierarchies().every(({ type }) => type === 'cgroup2') ? 'v2' : 'v1';

/** The directory of a v1 controller, or of the v2 tree where no v1 hierarchy has it. */
function cgroupDirectory(cgroup: ContainerCgroup, controller: string): string {
  const found = cgroup.directories.get(controller) ?? cgroup.directories.get('');
  if (found === undefined) throw new Error(`no cgroup hierarchy has ${controller}`);
  return found;
}

/** The path of the file that holds the same fact in both versions: `cgroupFile(cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max')`. */
export function cgroupFile(cgroup: ContainerCgroup, v1Controller: string, v1File: string, v2File: string): string {
  return join(cgroupDirectory(cgroup, v1Controller), cgroup.directories.has(v1Controller) ? v1File : v2File);
}

/** What that file says, trimmed. */
export function readCgroup(cgroup: ContainerCgroup, v1Controller: string, v1File: string, v2File: string): string {
  return readFileSync(cgroupFile(cgroup, v1Controller, v1File, v2File), 'utf8').trim();
}

/** Whether every process in it is frozen: by the v2 tree's freezer, or by v1's. A machine may have both. */
export function isFrozen(cgroup: ContainerCgroup): boolean {
  const v1 = cgroup.directories.get('freezer');
  const v2 = cgroup.directories.get('');
  const says = (dir: string | undefined, file: string, frozen: RegExp) => dir !== undefined && frozen.test(readFileSync(join(dir, file), 'utf8'));
  return says(v1, 'freezer.state', /^FROZEN$/m) || says(v2, 'cgroup.events', /^frozen 1$/m);
}

/** The hierarchies that are mounted in the world, by controller or `name=…`; the v2 tree has the empty name, as in /proc/PID/cgroup. */
function worldHierarchies(world: World): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of readFileSync(`/proc/${world.pid}/mountinfo`, 'utf8').trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountpoint = before.split(' ')[4] ?? '';
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') found.push({ controllers: [''], mountpoint });
    else if (type === 'cgroup') found.push({ controllers: options.split(','), mountpoint });
  }
  return found;
}
