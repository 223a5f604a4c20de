import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import type { Mount } from '../../oci/index.ts';
import { cgroupMount } from './cgroup-mount.ts';
import { cannotHonour, invalid } from './error.ts';
import { mountAttr } from './linux-numbers.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { CgroupPlan } from './options.ts';

/** mount_fs and mount_bind, field `create`. */
const create = { no: 0, directory: 1, asSource: 3 } as const;
/** mount_fs, field `flags`. */
const bindHostSysfs = 1;
/** mount_bind, field `flags`. */
const noFollowSource = 2;

export interface MountContext {
  readonly root: number;
  readonly bundle: string;
  readonly cgroup: CgroupPlan;
  readonly namespaces: NamespacePlan;
}

/** One entry of `mounts` as operations of the init, in the namespace that holds the new root but has not entered it yet. */
export function mountOps(mount: Mount, index: number, context: MountContext): readonly Op[] {
  const field = `mounts[${index}]`;
  const options = parseMountOptions(mount.options ?? []);
  // runc takes a relative destination as one below / and so do all images' configurations in the field.
  const target = path.posix.resolve('/', mount.destination);
  if ((mount.uidMappings?.length ?? 0) > 0 || (mount.gidMappings?.length ?? 0) > 0 || options.idMapped !== 'no')
    throw cannotHonour(field, 'id-mapped mounts are not supported');
  if (options.copyUp) throw cannotHonour(field, 'tmpcopyup is not supported');
  const isBind = options.bind !== 'no' || mount.type === 'bind';
  checkProcTarget(field, target, mount, isBind);
  if (options.remount) return [remount(target, options, context)];
  if (isBind) return bind(field, target, mount, options, context);
  switch (mount.type) {
    case 'cgroup':
    case 'cgroup2':
      return cgroupMount(target, mount.type, options, context);
    case undefined:
    case '':
      throw invalid(field, `mount on ${mount.destination} has no type`);
    default:
      return [
        {
          op: 'mount_fs',
          side: 'init',
          root: context.root,
          target,
          fstype: mount.type,
          source: mount.source ?? mount.type,
          options: options.filesystem,
          attrs: attributes(options),
          create: create.directory,
          ...(mount.type === 'sysfs' ? { flags: bindHostSysfs } : {}),
        },
        ...treeChanges(target, options, context),
      ];
  }
}

/** fsmount(2) takes the attributes to set; there is nothing to clear on a new mount. */
export function attributes(options: MountOptions): number {
  return options.set & ~(options.clear & ~mountAttr.atimeMask);
}

/** Recursive attributes and propagation of a mount that is in place. */
export function treeChanges(target: string, options: MountOptions, { root }: Pick<MountContext, 'root'>): readonly Op[] {
  const ops: Op[] = [];
  if (options.recursiveSet !== 0 || options.recursiveClear !== 0)
    ops.push({ op: 'mount_setattr', side: 'init', root, target, set: options.recursiveSet, clear: options.recursiveClear, recursive: 1 });
  for (const flags of options.propagation) ops.push({ op: 'mount_setattr', side: 'init', root, target, ...propagationFields(flags) });
  return ops;
}

const recursiveBit = 0x4000;

function propagationFields(flags: number): { readonly propagation: number; readonly recursive: number } {
  return { propagation: flags & ~recursiveBit, recursive: (flags & recursiveBit) === 0 ? 0 : 1 };
}

function bind(field: string, target: string, mount: Mount, options: MountOptions, context: MountContext): readonly Op[] {
  if (mount.source === undefined || mount.source === '') throw invalid(field, `bind mount on ${mount.destination} has no source`);
  if (options.filesystem.length > 0) throw invalid(field, `bind mount on ${mount.destination} has filesystem options: ${options.filesystem.join(',')}`);
  const ops: Op[] = [
    {
      op: 'mount_bind',
      side: 'init',
      root: context.root,
      target,
      source: path.resolve(context.bundle, mount.source),
      // A mount of type bind without an option is a plain bind (runc).
      recursive: options.bind === 'rbind' ? 1 : 0,
      set: options.set,
      clear: options.clear & ~options.set,
      recSet: options.recursiveSet,
      recClear: options.recursiveClear,
      create: create.asSource,
      ...(options.sourceNoFollow ? { flags: noFollowSource } : {}),
    },
  ];
  for (const flags of options.propagation) ops.push({ op: 'mount_setattr', side: 'init', root: context.root, target, ...propagationFields(flags) });
  return ops;
}

function remount(target: string, options: MountOptions, { root }: MountContext): Op {
  const tree = options.recursiveSet !== 0 || options.recursiveClear !== 0;
  return {
    op: 'mount_setattr',
    side: 'init',
    root,
    target,
    set: options.set | options.recursiveSet,
    clear: options.clear | options.recursiveClear,
    recursive: tree ? 1 : 0,
  };
}

/** Files of /proc that lxcfs and others cover; nothing else may be mounted over the container's procfs (CVE-2019-16884; runc's list). */
const coverableProcFiles = new Set(
  ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo', 'net/dev', 'sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'].map(
    (name) => `/proc/${name}`,
  ),
);

function checkProcTarget(field: string, target: string, mount: Mount, isBind: boolean): void {
  if (target === '/') throw invalid(field, 'a mount on / would hide the root filesystem');
  if (target === '/proc' && mount.type !== 'proc' && !(isBind && mount.source === '/proc'))
    throw invalid(field, `"${mount.destination}" cannot be mounted because it is not of type proc`);
  if (target.startsWith('/proc/') && !coverableProcFiles.has(target))
    throw invalid(field, `"${mount.destination}" cannot be mounted because it is inside /proc`);
}
