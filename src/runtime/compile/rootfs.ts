import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import type { Mount, RuntimeSpec } from '../../oci/index.ts';
import { deviceOps, isDevBound } from './devices.ts';
import { cannotHonour, invalid } from './error.ts';
import { idMappedMounts } from './id-mapped-mounts.ts';
import { mountAttr, openFlags, propagation } from './linux-numbers.ts';
import { hasIdMap, mappedMountOps } from './mapped-mount.ts';
import { propagationOp } from './mount-changes.ts';
import { mountPlan } from './mounts.ts';
import type { NamespaceOps, NamespacePlan } from './namespaces.ts';
import type { CreateOptions } from './options.ts';
import { keepsSharedMounts, propagationOps, rootPropagation } from './root-propagation.ts';
import type { SlotAllocator } from './slots.ts';

/** The root filesystem's part of a program, in the order of its steps. */
export interface RootfsOps {
  /** on the host, before any user namespace is joined */
  readonly beforeJoin: readonly Op[];
  /** on the host, once the init is there */
  readonly afterClone: readonly Op[];
  /** the init builds the root in its mount namespace: propagation, root mount, mounts in their order, devices */
  readonly build: readonly Op[];
  /** enters it */
  readonly enter: readonly Op[];
  /** last of all changes to it: what becomes read-only once mount points and devices are made */
  readonly seal: readonly Op[];
}

/** `root` is the slot where the root ends up. */
export function rootfsOps(
  spec: RuntimeSpec,
  options: CreateOptions,
  namespaces: NamespacePlan,
  ns: NamespaceOps,
  root: number,
  slots: SlotAllocator,
): RootfsOps {
  const mounts = spec.mounts ?? [];
  const flags = rootPropagation(spec, options.noPivot);
  const idMaps = idMappedMounts(mounts, spec.linux, namespaces, ns.joinedUserSlot, slots);
  const made = mappedRoot(options, slots) ?? plainRoot(options, namespaces, slots);
  const helper = needsHelper(spec, options, namespaces) ? slots.take() : undefined;
  const rootPath = hostRoot(options);
  const plan = mountPlan(mounts, {
    root,
    rootPath: options.rootfs.type === 'directory' ? rootPath : undefined,
    reopenRoot: openRoot(rootPath, root),
    bundle: options.bundle,
    cgroup: options.cgroup,
    namespaces,
    helper,
    idMapSlot: idMaps.slotOf,
    keepsSharedMounts: keepsSharedMounts(flags),
    label: mountLabel(spec, options),
    warn: options.onWarning ?? (() => undefined),
  });
  const place = {
    root,
    inUserNamespace: namespaces.has('user') || options.machine.inUserNamespace,
    helper: namespaces.made.has('user') ? helper : undefined,
    kcore: options.machine.kcore,
  };
  const closeHelper = (side: 'host' | 'init'): readonly Op[] => (helper === undefined ? [] : [{ op: 'close', side, fd: helper }]);
  return {
    beforeJoin: [...idMaps.ops, ...(made?.ops ?? []), ...(helper === undefined ? [] : [{ op: 'mount_helper', side: 'host', out: helper } as const])],
    afterClone: closeHelper('host'),
    build: [
      ...(namespaces.has('mount') ? propagationOps(flags, options) : []),
      ...(made === undefined ? rootMount(options, rootPath, flags) : attachRoot(made.slot, rootPath)),
      openRoot(rootPath, root),
      ...plan.now,
      ...deviceOps(spec.linux, mounts, place),
      ...closeHelper('init'),
    ],
    enter: enterOps(spec, options, namespaces, flags, root),
    seal: [...plan.late, ...readonlyRootOps(spec, options)],
  };
}

/** Whether the init may have to ask for what its user namespace has no right to. An ordinary user's helper would have no rights that the init has not. */
function needsHelper({ mounts, linux }: RuntimeSpec, { machine }: CreateOptions, namespaces: NamespacePlan): boolean {
  if (!namespaces.has('user') || machine.ordinaryUser !== undefined) return false;
  return (mounts ?? []).some(isBind) || (linux?.devices ?? []).length > 0;
}

function isBind(mount: Mount): boolean {
  const options = mount.options ?? [];
  return (mount.type === 'bind' || options.includes('bind') || options.includes('rbind')) && !options.includes('remount');
}

function mountLabel({ linux }: RuntimeSpec, { machine }: CreateOptions): string | undefined {
  if (!linux?.mountLabel) return undefined;
  if (!machine.selinux) throw cannotHonour('linux.mountLabel', 'SELinux is not enabled on this machine; leave the label out');
  return linux.mountLabel;
}

function hostRoot({ rootfs, mountpoint, bundle }: CreateOptions): string {
  if (rootfs.type === 'directory') return path.resolve(bundle, rootfs.path);
  if (mountpoint === undefined) throw invalid('root', 'no mount point was given for the root filesystem');
  return mountpoint;
}

function openRoot(target: string, root: number): Op {
  return { op: 'open', side: 'init', out: root, path: target, flags: openFlags.path | openFlags.directory | openFlags.closeOnExec, mode: 0 };
}

/** The root is a mount of its own, and not one that follows what the host mounts below it, unless slave was asked for (runc). */
function rootMount(options: CreateOptions, target: string, asked: number | undefined): readonly Op[] {
  const { rootfs } = options;
  const slave = asked !== undefined && (asked & propagation.slave) !== 0;
  if (rootfs.type !== 'overlay') {
    const source = rootfs.type === 'directory' ? target : rootfs.source;
    return [{ op: 'mount_bind', side: 'init', target, source, recursive: 1, ...(slave ? {} : { propagation: propagation.private }) }];
  }
  return [
    {
      op: 'overlay',
      side: 'init',
      target,
      lowers: rootfs.lowers,
      upper: rootfs.upper ?? '',
      work: rootfs.work ?? '',
      ...(isVolatile(options) ? { options: ['volatile'] } : {}),
    },
  ];
}

/** Else its unmount, which the exit waits for, writes the whole filesystem below to the disk (fs/overlayfs/super.c, ovl_sync_fs). */
function isVolatile({ rootfs, volatileRoot }: CreateOptions): boolean {
  return volatileRoot === true && rootfs.type === 'overlay' && rootfs.upper !== undefined;
}

/** A root that the host makes, for the init to attach. */
interface HostMadeRoot {
  readonly ops: readonly Op[];
  readonly slot: number;
}

/** Who is in a user namespace may not map what others own. */
function mappedRoot(options: CreateOptions, slots: SlotAllocator): HostMadeRoot | undefined {
  const { rootfs } = options;
  if (!hasIdMap(rootfs)) return undefined;
  const tree = slots.take();
  return { ops: mappedMountOps(rootfs, { slots: { userns: slots.take(), tree }, asLower: false, isVolatile: isVolatile(options) }), slot: tree };
}

/** Layers are where a user of the namespace need not pass, as other runtimes find them mounted. */
function plainRoot(options: CreateOptions, namespaces: NamespacePlan, slots: SlotAllocator): HostMadeRoot | undefined {
  const { rootfs, machine } = options;
  if (rootfs.type !== 'overlay' || !namespaces.has('user') || machine.ordinaryUser !== undefined) return undefined;
  const slot = slots.take();
  const { lowers, upper = '', work = '' } = rootfs;
  const volatile = isVolatile(options) ? { options: ['volatile'] } : {};
  return { ops: [{ op: 'overlay_source', side: 'host', out: slot, lowers, upper, work, plain: lowers.length, ...volatile }], slot };
}

function attachRoot(slot: number, target: string): readonly Op[] {
  return [
    { op: 'attach', side: 'init', fd: slot, target },
    { op: 'close', side: 'init', fd: slot },
  ];
}

function enterOps(spec: RuntimeSpec, options: CreateOptions, namespaces: NamespacePlan, flags: number | undefined, root: number): readonly Op[] {
  const { stdio } = options;
  const ops: Op[] = [enterOp(options, namespaces, root)];
  // Only now: on the host's tree it would show there (runc).
  if (flags !== undefined && (flags & (propagation.private | propagation.slave)) === 0) ops.push(propagationOp('/', flags));
  // A null device of the host's would be a file from outside: nothing that criu could save.
  const mayHaveNull = stdio.kind === 'inherit' ? !spec.process?.terminal : !stdio.terminal && !stdio.openStdin;
  if (mayHaveNull && !isDevBound(spec.mounts ?? [])) ops.push({ op: 'reopen_null', side: 'init' });
  return ops;
}

function enterOp({ noPivot }: CreateOptions, namespaces: NamespacePlan, root: number): Op {
  if (noPivot && !namespaces.has('mount')) throw invalid('linux.namespaces', "--no-pivot without a mount namespace would move the host's root");
  if (noPivot) return { op: 'move_root', side: 'init', root };
  return namespaces.has('mount') ? { op: 'pivot_root', side: 'init', root } : { op: 'chroot', side: 'init', root };
}

function readonlyRootOps(spec: RuntimeSpec, { rootfs }: CreateOptions): readonly Op[] {
  const readonly = spec.root?.readonly || (rootfs.type !== 'directory' && rootfs.readonly);
  return readonly ? [{ op: 'mount_setattr', side: 'init', target: '/', set: mountAttr.readonly }] : [];
}
