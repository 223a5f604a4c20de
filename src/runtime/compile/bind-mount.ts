import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import { invalid } from './error.ts';
import { clearedUnasked, detachedPropagation, propagationInPlace } from './mount-changes.ts';
import { superblockOptionNames } from './mount-options.ts';
import type { MountContext, MountRequest } from './mounts.ts';

/** mount_bind, fields `create` and `flags`. */
const asSource = 3;
const bindFlags = { sourceNoFollow: 2, copySymlink: 4, targetNoFollow: 8, mapTree: 16, sourceIsProcfs: 32 } as const;

/** A mount of type bind without an option is a plain bind; flags that are named are all that it has, as with runc. */
export function bindMount(request: MountRequest, context: MountContext): readonly Op[] {
  const { field, mount, target, options } = request;
  if (mount.source === undefined || mount.source === '') throw invalid(field, `bind mount on ${mount.destination} has no source`);
  if (options.copyUp) throw invalid(field, 'tmpcopyup is for mounts of type tmpfs');
  // runc refuses the filesystem's own options, crun drops them silently; the kernel takes neither kind for a bind.
  const ignored = [...options.filesystem, ...superblockOptionNames(options.superblock)];
  if (ignored.length > 0) context.warn(`${field}: a bind mount shares the filesystem of its source: ignored for ${target}: ${ignored.join(',')}`);
  const userns = context.idMapSlot(mount);
  const flags =
    (options.sourceNoFollow ? bindFlags.sourceNoFollow : 0) |
    (options.copySymlink ? bindFlags.copySymlink : 0) |
    (options.targetNoFollow ? bindFlags.targetNoFollow : 0) |
    (options.idMapped === 'ridmap' ? bindFlags.mapTree : 0) |
    (target === '/proc' ? bindFlags.sourceIsProcfs : 0);
  return [
    {
      op: 'mount_bind',
      side: 'init',
      root: context.root,
      target,
      source: path.resolve(context.bundle, mount.source),
      recursive: options.bind === 'rbind' ? 1 : 0,
      set: options.set,
      clear: options.clear,
      clearUnlocked: options.exact ? clearedUnasked(options) : 0,
      recSet: options.recursiveSet,
      recClear: options.recursiveClear,
      propagation: detachedPropagation(request),
      create: asSource,
      ...(flags === 0 ? {} : { flags }),
      ...(userns === undefined ? {} : { userns }),
      ...(context.helper === undefined ? {} : { helper: context.helper }),
    },
    ...propagationInPlace(request, context),
  ];
}
