import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { deviceOps } from './devices.ts';
import { invalid } from './error.ts';
import { mountAttr, openFlags, propagation } from './linux-numbers.ts';
import { propagationOptions } from './mount-options.ts';
import { mountOps } from './mounts.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { CreateOptions } from './options.ts';

/** Builds the root in the init's mount namespace: propagation, root mount, mounts in their order, devices. The root ends up in slot `root`. */
export function rootfsOps(spec: RuntimeSpec, options: CreateOptions, namespaces: NamespacePlan, root: number): readonly Op[] {
  const mounts = spec.mounts ?? [];
  const context = { root, bundle: options.bundle, cgroup: options.cgroup, namespaces };
  return [
    ...propagationOps(spec, options),
    ...rootMount(options, root),
    ...mounts.flatMap((mount, index) => mountOps(mount, index, context)),
    ...deviceOps(spec.linux, mounts, { root, inUserNamespace: namespaces.has('user'), kcore: options.machine.kcore }),
  ];
}

/** Enters the root and closes what the configuration wants closed. */
export function enterRootOps(spec: RuntimeSpec, options: CreateOptions, root: number): readonly Op[] {
  const ops: Op[] = [options.noPivot ? { op: 'move_root', side: 'init', root } : { op: 'pivot_root', side: 'init', root }];
  const flags = rootPropagation(spec);
  if (flags !== undefined)
    ops.push({
      op: 'mount_setattr',
      side: 'init',
      target: '/',
      propagation: flags & ~propagation.recursive,
      recursive: (flags & propagation.recursive) === 0 ? 0 : 1,
    });
  return ops;
}

/** Last of all changes to the root: mount points and devices had to be made in it first. */
export function readonlyRootOps(spec: RuntimeSpec, { rootfs }: CreateOptions): readonly Op[] {
  const readonly = spec.root?.readonly || (rootfs.type !== 'directory' && rootfs.readonly);
  return readonly ? [{ op: 'mount_setattr', side: 'init', target: '/', set: mountAttr.readonly }] : [];
}

function rootPropagation(spec: RuntimeSpec): number | undefined {
  const name = spec.linux?.rootfsPropagation;
  if (name === undefined || name === '') return undefined;
  const flags = propagationOptions[name];
  if (flags === undefined) throw invalid('linux.rootfsPropagation', `unknown propagation ${JSON.stringify(name)}`);
  return flags;
}

function propagationOps(spec: RuntimeSpec, options: CreateOptions): readonly Op[] {
  const flags = rootPropagation(spec) ?? propagation.slave | propagation.recursive;
  const ops: Op[] = [{ op: 'propagation', side: 'init', path: '/', flags: flags | propagation.recursive }];
  // pivot_root(2) refuses a root whose parent mount is shared, and the mounts below would show on the host.
  if ((flags & propagation.shared) !== 0) {
    if (options.rootfsParentMount === undefined) throw invalid('linux.rootfsPropagation', 'shared, but the mount that holds the root is not known');
    ops.push({ op: 'propagation', side: 'init', path: options.rootfsParentMount, flags: propagation.private });
  }
  return ops;
}

function rootMount({ rootfs, volatileRoot, mountpoint, bundle }: CreateOptions, root: number): readonly Op[] {
  const open = (target: string): Op => ({
    op: 'open',
    side: 'init',
    out: root,
    path: target,
    flags: openFlags.path | openFlags.directory | openFlags.closeOnExec,
    mode: 0,
  });
  if (rootfs.type === 'directory') {
    const target = path.resolve(bundle, rootfs.path);
    return [{ op: 'mount_bind', side: 'init', target, source: target, recursive: 1 }, open(target)];
  }
  if (mountpoint === undefined) throw invalid('root', 'no mount point was given for the root filesystem');
  if (rootfs.type === 'bind') return [{ op: 'mount_bind', side: 'init', target: mountpoint, source: rootfs.source, recursive: 1 }, open(mountpoint)];
  return [
    {
      op: 'overlay',
      side: 'init',
      target: mountpoint,
      lowers: rootfs.lowers,
      upper: rootfs.upper ?? '',
      work: rootfs.work ?? '',
      // Else its unmount, which the exit waits for, writes the whole filesystem below to the disk (fs/overlayfs/super.c, ovl_sync_fs).
      ...(volatileRoot && rootfs.upper !== undefined ? { options: ['volatile'] } : {}),
    },
    open(mountpoint),
  ];
}
