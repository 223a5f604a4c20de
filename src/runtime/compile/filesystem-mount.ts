import type { Op } from '../../kernel/index.ts';
import { invalid } from './error.ts';
import { mountAttr, mountFlags } from './linux-numbers.ts';
import { changesInPlace, detachedPropagation, propagationInPlace } from './mount-changes.ts';
import type { MountContext, MountPlan, MountRequest } from './mounts.ts';

/** mount_fs, field `flags`. */
const fsFlags = { bindHostSysfs: 1, modeOfTarget: 2, copyUp: 4 } as const;

/** What fsconfig(2) calls the flags of a superblock (fs/fs_context.c, common_set_sb_flag); the rest only mount(2) can say. */
const superblockWords: readonly (readonly [number, string])[] = [
  [mountFlags.synchronous, 'sync'],
  [mountFlags.dirsync, 'dirsync'],
  [mountFlags.mandlock, 'mand'],
  [mountFlags.lazytime, 'lazytime'],
];

/** Which of a superblock's flags are words, and which need the old system call: one of those takes all of them there. */
export function superblockOptions(flags: number): { readonly words: readonly string[]; readonly flags: number } {
  const words = superblockWords.filter(([bit]) => (flags & bit) !== 0);
  const known = words.reduce((sum, [bit]) => sum | bit, 0);
  return known === flags ? { words: words.map(([, word]) => word), flags: 0 } : { words: [], flags };
}

/** These have labels of their own kind (runc). */
const unlabelled = new Set(['proc', 'sysfs', 'mqueue']);

/**
 * A new filesystem. A tmpfs and whatever is /dev become read-only last of all: mount points and devices are made in them first (runc).
 */
export function filesystemMount(request: MountRequest, type: string, context: MountContext): MountPlan {
  const { mount, target, options } = request;
  const isTmpfs = type === 'tmpfs';
  checkOptions(request, isTmpfs);
  const delayed = isTmpfs || target === '/dev';
  const readonlyLate = delayed && (options.set & mountAttr.readonly) !== 0;
  const attrs = options.set & ~(readonlyLate ? mountAttr.readonly : 0);
  const superblock = superblockOptions(options.superblock);
  const source = mount.source ?? type;
  const flags =
    // Not one that the container could write to: it would be the host's (crun).
    (type === 'sysfs' && (options.set & mountAttr.readonly) !== 0 ? fsFlags.bindHostSysfs : 0) |
    (isTmpfs && !options.filesystem.some((option) => option.startsWith('mode=')) ? fsFlags.modeOfTarget : 0) |
    (options.copyUp ? fsFlags.copyUp : 0);
  const { label } = context;
  const place: Op = {
    op: 'mount_fs',
    side: 'init',
    root: context.root,
    target,
    fstype: type,
    source,
    options: [
      ...superblock.words,
      ...options.filesystem,
      // A device may be write-protected: its filesystem must not be opened for writing.
      ...((options.set & mountAttr.readonly) !== 0 && source.startsWith('/') ? ['ro'] : []),
      ...(label === undefined || unlabelled.has(type) ? [] : [`context=${label}`]),
    ],
    attrs,
    propagation: detachedPropagation(request),
    create: 1,
    ...(flags === 0 ? {} : { flags }),
    ...(superblock.flags === 0 ? {} : { sbFlags: superblock.flags }),
    ...(label !== undefined && type === 'mqueue' ? { label } : {}),
  };
  const onTree = changesInPlace(request, context);
  const inNewRoot = onTree.map((op) => ({ ...op, root: undefined }));
  return {
    now: [place, ...(delayed ? [] : onTree), ...propagationInPlace(request, context)],
    late: [...(readonlyLate ? [{ op: 'mount_setattr', side: 'init', target, set: mountAttr.readonly } as const] : []), ...(delayed ? inNewRoot : [])],
  };
}

function checkOptions({ field, mount, target, options }: MountRequest, isTmpfs: boolean): void {
  if (options.copyUp && !isTmpfs) throw invalid(field, `tmpcopyup is for mounts of type tmpfs, not ${mount.type}`);
  if (options.copyUp && target === '/') throw invalid(field, 'tmpcopyup on / would copy the whole root filesystem into memory');
  for (const [name, given] of [
    ['src-nofollow', options.sourceNoFollow],
    ['dest-nofollow', options.targetNoFollow],
    ['copy-symlink', options.copySymlink],
  ] as const)
    if (given) throw invalid(field, `${name} is for bind mounts, not ${mount.type}`);
}
