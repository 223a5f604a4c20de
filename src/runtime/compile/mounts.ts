import type { Op } from '../../kernel/index.ts';
import type { Mount } from '../../oci/index.ts';
import { bindMount } from './bind-mount.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { invalid } from './error.ts';
import { filesystemMount } from './filesystem-mount.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';
import { checkProcTarget, mountTarget } from './mount-target.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { CgroupPlan } from './options.ts';
import { remount } from './remount.ts';

export interface MountContext {
  /** slot of the root */
  readonly root: number;
  /** its path on the host, when it is a directory there */
  readonly rootPath: string | undefined;
  /** opens the slot anew: for a mount over the root itself */
  readonly reopenRoot: Op | undefined;
  readonly bundle: string;
  readonly cgroup: CgroupPlan;
  readonly namespaces: NamespacePlan;
  /** slot of the mount helper: the init of a user namespace may not open every source */
  readonly helper: number | undefined;
  /** slot of the user namespace whose mappings a mount has */
  idMapSlot(mount: Mount): number | undefined;
  /** linux.mountLabel, where SELinux is */
  readonly label: string | undefined;
  /** mounts of the host may still be shared: what is put on a bind of one is shared from then on */
  readonly keepsSharedMounts: boolean;
  readonly warn: (message: string) => void;
}

/** One entry, taken apart. */
export interface MountRequest {
  /** `mounts[3]`, for messages */
  readonly field: string;
  readonly mount: Mount;
  readonly target: string;
  readonly options: MountOptions;
  /** whether what it is mounted on may be shared: its propagation then has to be set where it is */
  readonly inSharedTree: boolean;
}

/** In their order, in the mount namespace of the new root which is not entered yet; and what comes once everything in the root is made. */
export interface MountPlan {
  readonly now: readonly Op[];
  readonly late: readonly Op[];
}

export function mountPlan(mounts: readonly Mount[], context: MountContext): MountPlan {
  const parts = mounts.map((mount, index) => oneMount(mounts, mount, index, context));
  return { now: parts.flatMap(({ now }) => now), late: parts.flatMap(({ late }) => late) };
}

function oneMount(mounts: readonly Mount[], mount: Mount, index: number, context: MountContext): MountPlan {
  const field = `mounts[${index}]`;
  const options = parseMountOptions(mount.options ?? []);
  const target = mountTarget(field, mount, context.rootPath, context.warn);
  const inSharedTree =
    context.keepsSharedMounts || mounts.slice(0, index + 1).some((earlier) => earlier.options?.some((option) => option === 'shared' || option === 'rshared'));
  const request: MountRequest = { field, mount, target, options, inSharedTree };
  const isBind = options.bind !== 'no' || mount.type === 'bind';
  checkProcTarget(field, target, mount, isBind);
  const plan = placeMount(request, isBind, context);
  if (target !== '/' || options.remount) return plan;
  if (context.reopenRoot === undefined) throw invalid(field, 'a mount on / would hide the root filesystem');
  return { ...plan, now: [...plan.now, context.reopenRoot] };
}

function placeMount(request: MountRequest, isBind: boolean, context: MountContext): MountPlan {
  const { mount, options, field } = request;
  if (options.remount) return { now: remount(request, isBind, context), late: [] };
  if (isBind) return { now: bindMount(request, context), late: [] };
  if (mount.type === undefined || mount.type === '') throw invalid(field, `mount on ${mount.destination} has no type`);
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') return { now: cgroupMount(request, mount.type, context), late: [] };
  return filesystemMount(request, mount.type, context);
}
