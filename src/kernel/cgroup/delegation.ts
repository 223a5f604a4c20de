import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { StrakeError } from '../../base/index.ts';
import type { ResourcesSpec } from '../../oci/index.ts';
import { type CgroupDirectories, cgroupInTree, ownDirectory } from './directories.ts';
import type { CgroupLayout } from './layout.ts';
import type { OwnCgroups } from './own.ts';

/** What an ordinary user, or root in a user namespace, can do with cgroups. */
export interface DelegatedCgroups {
  /** in the hierarchies in which the container gets a cgroup */
  readonly directories: CgroupDirectories;
  /** the runtime's own cgroups in the others, where the container stays */
  readonly inherited: InheritedCgroups;
}

export interface InheritedCgroups {
  readonly v1: readonly { readonly name: string; readonly dir: string }[];
  readonly v2: string | undefined;
}

export interface DelegationOptions {
  readonly layout: CgroupLayout;
  /** where the container's cgroup would be */
  readonly directories: CgroupDirectories;
  /** the configuration says where */
  readonly isNamed: boolean;
  readonly resources: ResourcesSpec | undefined;
  readonly own: OwnCgroups;
  readonly canWrite: WriteAccess;
}

/** Whether this process may write there; undefined: nothing is there. */
export type WriteAccess = (path: string) => boolean | undefined;

/**
 * Takes the hierarchies in which this process may make the container's cgroup: on v1 where the directory is writable, on v2 where the subtree is delegated
 * (cgroup-v2.rst, "Delegation"). PermissionDenied, in runc's words, when the configuration names a cgroup that cannot be made or asks for a
 * limit that cannot be set; without either the container just stays in the runtime's own cgroup.
 */
export function delegatedCgroups(options: DelegationOptions): DelegatedCgroups {
  const { layout, directories, resources = {} } = options;
  const own = ownDirectories(layout, options.own);
  const lost = lostHierarchies(directories, own, options.canWrite);
  const lostDirectory = lost.v1[0]?.dir ?? (layout.kind === 'v2' ? lost.v2 : undefined);
  if (lostDirectory !== undefined) checkAsked(lostDirectory, layout.kind, options.isNamed, limitedControllers(resources), lost);
  return {
    directories: { v1: directories.v1.filter(({ dir }) => !lost.v1.some((one) => one.dir === dir)), v2: lost.v2 === undefined ? directories.v2 : undefined },
    inherited: {
      v1: lost.v1.flatMap(({ name }) => (own.v1.has(name) ? [{ name, dir: own.v1.get(name) ?? '' }] : [])),
      v2: lost.v2 === undefined ? undefined : own.v2,
    },
  };
}

export function canWrite(file: string): boolean | undefined {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : false;
  }
}

interface OwnDirectories {
  readonly v1: ReadonlyMap<string, string>;
  readonly v2: string | undefined;
}

/** Where the cgroups are that this process is in; a hierarchy whose mount does not show it is left out. */
function ownDirectories(layout: CgroupLayout, own: OwnCgroups): OwnDirectories {
  const v1 = layout.v1.flatMap((hierarchy) => {
    const below = ownDirectory(hierarchy, own.get(hierarchy.key));
    return below === undefined ? [] : [[hierarchy.name, path.resolve(hierarchy.mountpoint, `.${below}`)] as const];
  });
  return { v1: new Map(v1), v2: cgroupInTree(layout, own) };
}

function lostHierarchies({ v1, v2 }: CgroupDirectories, own: OwnDirectories, writable: WriteAccess): CgroupDirectories {
  return { v1: v1.filter(({ dir }) => !canMake(dir, writable)), v2: v2 !== undefined && !isDelegated(v2, own.v2 ?? '/', writable) ? v2 : undefined };
}

/** The directory, or the nearest one above that exists, lets itself be written. */
function canMake(dir: string, writable: WriteAccess): boolean {
  if (dir === '/') return false;
  return writable(dir) ?? canMake(path.posix.dirname(dir), writable);
}

/** Who moves a process to a v2 cgroup must be able to write the cgroup.procs of the common ancestor of both cgroups too. */
function isDelegated(dir: string, own: string, writable: WriteAccess): boolean {
  let ancestor = own;
  while (ancestor !== '/' && dir !== ancestor && !dir.startsWith(`${ancestor}/`)) ancestor = path.posix.dirname(ancestor);
  return canMake(dir, writable) && (writable(`${ancestor}/cgroup.procs`) ?? false);
}

function checkAsked(dir: string, kind: CgroupLayout['kind'], isNamed: boolean, limited: readonly string[], lost: CgroupDirectories): void {
  if (isNamed) throw refused(`unable to apply cgroup configuration: mkdir ${dir}: permission denied`);
  if (kind === 'v2' && limited.length > 0)
    throw refused(`rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir ${dir}: permission denied`);
  const missing = limited.find((controller) => lost.v1.some(({ controllers }) => controllers.includes(controller)));
  if (missing !== undefined) throw refused(`cannot set ${missing} limit: container could not join or create cgroup`);
}

/** The controllers, by their v1 names, of which a limit is asked for. Device rules are none: nobody but the first root can set them. */
function limitedControllers({ cpu, memory, pids, blockIO, hugepageLimits, rdma, network, unified }: ResourcesSpec): readonly string[] {
  const { cpus, mems, ...times } = cpu ?? {};
  const asked: readonly (readonly [string, unknown])[] = [
    ['cpuset', cpus || mems],
    ['cpu', hasValues(times)],
    ['memory', hasValues(memory)],
    ['pids', pids?.limit],
    ['blkio', hasValues(blockIO)],
    ['hugetlb', hugepageLimits?.length],
    ['rdma', hasValues(rdma)],
    ['net_cls', network?.classID],
    ['net_prio', network?.priorities?.length],
    ['unified', hasValues(unified)],
  ];
  return asked.flatMap(([controller, value]) => (value ? [controller] : []));
}

function hasValues(group: object | undefined): boolean {
  return Object.values(group ?? {}).some((value) => value !== undefined && value !== null);
}

function refused(message: string): StrakeError {
  return new StrakeError('PermissionDenied', message, {
    fields: { layer: 'kernel', remedy: 'have the cgroup delegated to this user (chown of its directory and files), or run without cgroupsPath and limits' },
  });
}
