import type { Op } from '../../kernel/index.ts';
import { cannotHonour } from './error.ts';
import { superblockOptions } from './filesystem-mount.ts';
import { mountAttr } from './linux-numbers.ts';
import { clearedUnasked } from './mount-changes.ts';
import type { MountContext, MountRequest } from './mounts.ts';

/** `remount` changes what is mounted on the target: with `bind` the flags of the mount, without it the options of the filesystem too (mount(8)). */
export function remount({ field, target, options }: MountRequest, isBind: boolean, { root }: MountContext): readonly Op[] {
  const ops: Op[] = [];
  if (!isBind) {
    const superblock = superblockOptions(options.superblock);
    if (superblock.flags !== 0) throw cannotHonour(field, 'iversion and silent cannot be changed by a remount');
    const writable = (options.set & mountAttr.readonly) === 0 ? 'rw' : 'ro';
    ops.push({ op: 'remount_fs', side: 'init', root, target, options: [writable, ...superblock.words, ...options.filesystem] });
  }
  ops.push({ op: 'mount_setattr', side: 'init', root, target, set: options.set, clear: options.clear, clearUnlocked: clearedUnasked(options) });
  if (options.recursiveSet !== 0 || options.recursiveClear !== 0)
    ops.push({ op: 'mount_setattr', side: 'init', root, target, set: options.recursiveSet, clear: options.recursiveClear, recursive: 1 });
  return ops;
}
