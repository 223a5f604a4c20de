import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { CgroupLayout } from './layout.ts';

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
 * Where the cgroup `cgroupPath` (from the hierarchies' root, with or without a leading slash) is in each hierarchy.
 * InvalidArgument for an empty path, `.` or `..` parts, or characters that a kernel file name cannot have.
 */
export function cgroupDirectories(layout: CgroupLayout, cgroupPath: string): CgroupDirectories {
  const parts = cgroupParts(cgroupPath);
  return {
    v1: layout.v1.map(({ name, controllers, mountpoint }) => ({ name, controllers, mountpoint, dir: path.join(mountpoint, ...parts) })),
    v2: layout.v2 && path.join(layout.v2.mountpoint, ...parts),
  };
}

/** The names of a cgroup path, outermost first. */
export function cgroupParts(cgroupPath: string): readonly string[] {
  const parts = cgroupPath.split('/').filter((part) => part !== '');
  const bad = parts.length === 0 || parts.some((part) => part === '.' || part === '..' || /[\0\n]/.test(part) || Buffer.byteLength(part) > 255);
  if (bad) throw new StrakeError('InvalidArgument', `invalid cgroup path ${JSON.stringify(cgroupPath)}`, { fields: { layer: 'kernel' } });
  return parts;
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
