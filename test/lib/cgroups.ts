import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One mounted cgroup hierarchy of the machine. */
export interface Hierarchy {
  readonly type: 'cgroup' | 'cgroup2';
  /** Mount options that name the hierarchy, e.g. `memory`, `cpu,cpuacct`, `none,name=systemd`; empty on v2. */
  readonly options: string;
  readonly path: string;
}

const mountFlags = new Set(['rw', 'ro', 'relatime', 'nosuid', 'nodev', 'noexec', 'noatime', 'nsdelegate', 'memory_recursiveprot']);

/** The machine's hierarchies, from /proc/self/mounts. */
export function hierarchies(): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, path, type, flags] = line.split(' ');
    if (path === undefined || flags === undefined || (type !== 'cgroup' && type !== 'cgroup2')) continue;
    const names = flags.split(',').filter((flag) => !mountFlags.has(flag) && (type === 'cgroup' || flag === ''));
    if (names.some((name) => name.startsWith('name='))) names.unshift('none');
    found.push({ type, options: names.join(',') || 'defaults', path });
  }
  return found;
}

/** Makes the cgroup `name` in every hierarchy. A v1 cpuset is unusable until its cpus and mems are copied from its parent. */
export function makeCgroups(name: string): void {
  for (const { path } of hierarchies()) {
    mkdirSync(join(path, name));
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (existsSync(join(path, file))) writeFileSync(join(path, name, file), readFileSync(join(path, file)));
    }
  }
}

/** Where a world's own processes are on a v2 tree with controllers: a cgroup that hands controllers on may hold no process (cgroups(7), "no internal processes"). */
const leaf = 'processes';

/** Lets the cgroups below `name` have every controller that v2 gave it, its processes moved to the leaf. Where v1 has the controllers there is nothing to do. */
export function delegateCgroups(name: string): void {
  for (const { type, path } of hierarchies()) {
    const top = join(path, name);
    const controllers = type === 'cgroup2' ? readFileSync(join(top, 'cgroup.controllers'), 'utf8').trim() : '';
    if (controllers === '') continue;
    mkdirSync(join(top, leaf));
    const enable = controllers.replaceAll(/\S+/g, '+$&');
    while (!moveToLeaf(top) || !tryWrite(join(top, 'cgroup.subtree_control'), enable, 'EBUSY'));
  }
}

/** Whether none was left to move: a process may fork meanwhile. */
function moveToLeaf(top: string): boolean {
  const pids = readFileSync(join(top, 'cgroup.procs'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  for (const pid of pids) tryWrite(join(top, leaf, 'cgroup.procs'), pid, 'ESRCH');
  return pids.length === 0;
}

/** False when the kernel says `expected`. */
function tryWrite(file: string, text: string, expected: 'EBUSY' | 'ESRCH' | 'ENODEV'): boolean {
  try {
    writeFileSync(file, text);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== expected) throw error;
    return false;
  }
}

/** Every cgroup below `name`, as `HIERARCHY-PATH/name/…`. */
export function cgroupsBelow(name: string): string[] {
  return hierarchies().flatMap(({ path }) => descend(join(path, name)));
}

function descend(dir: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(dir, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // removed while we looked
    throw error;
  }
  return entries.flatMap((entry) => [entry, ...descend(entry)]);
}

/** Thaws every cgroup below `name`: a frozen process of v1 does not even die (freezer-subsystem.rst). */
export function thawCgroups(name: string): void {
  for (const dir of cgroupsBelow(name)) {
    const state = join(dir, 'freezer.state');
    if (existsSync(state)) tryWrite(state, 'THAWED', 'ENODEV');
  }
}

/** Removes `name` with all below it, in every hierarchy; false while a process is still in one. */
export function removeCgroups(name: string): boolean {
  let all = true;
  for (const { path } of hierarchies()) {
    const top = join(path, name);
    for (const dir of [...descend(top).reverse(), top]) {
      try {
        rmdirSync(dir);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EBUSY') all = false;
        else if (code !== 'ENOENT') throw error;
      }
    }
  }
  return all;
}

/** Removes what a killed test runner left: the worlds of processes that no longer live. Names are strake-world-PID-RANDOM. */
export function sweepCgroups(prefix: string): void {
  for (const { path } of hierarchies()) {
    for (const name of readdirSync(path)) {
      if (!name.startsWith(prefix)) continue;
      const pid = name.slice(prefix.length).split('-')[0];
      if (!existsSync(`/proc/${pid}`)) removeCgroups(name);
    }
  }
}
