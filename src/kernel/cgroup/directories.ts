import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { CgroupLayout } from './layout.ts';
import type { OwnCgroups } from './own.ts';

export interface V1Directory {
  /** the hierarchy's directory name: `cpu,cpuacct` */
  readonly name: string;
  readonly controllers: readonly string[];
  /** the hierarchy's root */
  readonly mountpoint: string;
  readonly dir: string;
}

/** One cgroup's directory in every hierarchy. */
export interface CgroupDirectories {
  readonly v1: readonly V1Directory[];
  readonly v2: string | undefined;
}

/**
 * Where the cgroup `cgroupPath` is in each hierarchy: from the hierarchies' root; with `own`, a path without a leading slash is below the caller's
 * own cgroups, as runc has it: in v1's the cgroup itself, in a pure v2 tree its parent (which has no processes, and so can hand controllers down),
 * in a v2 tree beside v1 the root, as where a mount does not show the own cgroup. InvalidArgument for an empty path, `.` or `..` parts, or characters that a kernel file name cannot have.
 */
export function cgroupDirectories(layout: CgroupLayout, cgroupPath: string, own?: OwnCgroups): CgroupDirectories {
  const parts = cgroupParts(cgroupPath);
  const relativeTo = cgroupPath.startsWith('/') ? undefined : own;
  const { v2 } = layout;
  const v2Base = relativeTo && v2 && layout.kind === 'v2' ? path.dirname(ownDirectory(v2, relativeTo.get('')) ?? '/') : '/';
  return {
    v1: layout.v1.map((hierarchy) => {
      const { name, controllers, mountpoint, key } = hierarchy;
      const base = (relativeTo && ownDirectory(hierarchy, relativeTo.get(key))) ?? '/';
      return { name, controllers, mountpoint, dir: path.join(mountpoint, base, ...parts) };
    }),
    v2: v2 && path.join(v2.mountpoint, v2Base, ...parts),
  };
}

/** The caller's cgroup from the mount point on, with a leading slash; undefined where the mount, of a part of the hierarchy alone, does not show it. */
export function ownDirectory({ root }: { readonly root: string }, own: string | undefined): string | undefined {
  // Outside of the cgroup namespace it begins with `/..`.
  if (own === undefined || own.split('/').includes('..')) return undefined;
  const relative = path.relative(root, own);
  return relative === '..' || relative.startsWith('../') ? undefined : `/${relative}`;
}

/** The directory in the v2 tree of the process whose cgroups those are; undefined where the mount does not show it. */
export function cgroupInTree({ v2 }: CgroupLayout, own: OwnCgroups): string | undefined {
  const below = v2 && ownDirectory(v2, own.get(''));
  return v2 && below && path.resolve(v2.mountpoint, `.${below}`);
}

/** The names of a cgroup path, outermost first. */
function cgroupParts(cgroupPath: string): readonly string[] {
  const parts = cgroupPath.split('/').filter((part) => part !== '');
  const bad = parts.length === 0 || parts.some((part) => part === '.' || part === '..' || /[\0\n]/.test(part) || Buffer.byteLength(part) > 255);
  if (bad) throw new StrakeError('InvalidArgument', `invalid cgroup path ${JSON.stringify(cgroupPath)}`, { fields: { layer: 'kernel' } });
  return parts;
}

/** The directories from below the mount point down to `dir`, outermost first. */
export function cgroupLevels(mountpoint: string, dir: string): readonly string[] {
  const parts = path.relative(mountpoint, dir).split('/');
  if (parts[0] === '') return [];
  return parts.map((_, index) => path.join(mountpoint, ...parts.slice(0, index + 1)));
}

/** All of them, v1's first. */
export function allDirectories(directories: CgroupDirectories): readonly string[] {
  return [...directories.v1.map(({ dir }) => dir), ...(directories.v2 ? [directories.v2] : [])];
}

/** The directory that has a v1 controller. */
export function v1DirectoryOf(directories: CgroupDirectories, controller: string): string | undefined {
  return directories.v1.find((entry) => entry.controllers.includes(controller))?.dir;
}

/** The file that has a line `oom_kill N` for this cgroup; undefined where no memory controller is mounted. */
export function oomFile(directories: CgroupDirectories): string | undefined {
  const memory = v1DirectoryOf(directories, 'memory');
  if (memory) return path.join(memory, 'memory.oom_control');
  return directories.v2 && path.join(directories.v2, 'memory.events');
}
