import { mountAttr, propagation } from './linux-numbers.ts';

/** Mount options (config-linux.md, "Linux mount options") taken apart for the new mount API. */
export interface MountOptions {
  readonly bind: 'no' | 'bind' | 'rbind';
  readonly remount: boolean;
  /** MOUNT_ATTR_* to set and to clear on the mount itself */
  readonly set: number;
  readonly clear: number;
  /** the same on the whole tree (`rro`, `rnosuid`, …) */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  /** MS_* propagation, each applied in turn */
  readonly propagation: readonly number[];
  readonly copyUp: boolean;
  readonly idMapped: 'no' | 'idmap' | 'ridmap';
  readonly sourceNoFollow: boolean;
  /** what the filesystem itself reads: `size=64k`, `mode=755`, `sync`, … */
  readonly filesystem: readonly string[];
}

type Change = readonly [set: number, clear: number];

const attributeOptions: Readonly<Record<string, Change>> = {
  ro: [mountAttr.readonly, 0],
  rw: [0, mountAttr.readonly],
  nosuid: [mountAttr.nosuid, 0],
  suid: [0, mountAttr.nosuid],
  nodev: [mountAttr.nodev, 0],
  dev: [0, mountAttr.nodev],
  noexec: [mountAttr.noexec, 0],
  exec: [0, mountAttr.noexec],
  // Setting an access-time mode must clear the whole field (mount_setattr(2)).
  noatime: [mountAttr.noatime, mountAttr.atimeMask],
  atime: [0, mountAttr.atimeMask],
  relatime: [0, mountAttr.atimeMask],
  norelatime: [0, 0],
  strictatime: [mountAttr.strictatime, mountAttr.atimeMask],
  nostrictatime: [0, mountAttr.atimeMask],
  nodiratime: [mountAttr.nodiratime, 0],
  diratime: [0, mountAttr.nodiratime],
  nosymfollow: [mountAttr.nosymfollow, 0],
  symfollow: [0, mountAttr.nosymfollow],
};

/** Propagation by its option's name, as `linux.rootfsPropagation` names it too. */
export const propagationOptions: Readonly<Record<string, number>> = {
  private: propagation.private,
  rprivate: propagation.private | propagation.recursive,
  shared: propagation.shared,
  rshared: propagation.shared | propagation.recursive,
  slave: propagation.slave,
  rslave: propagation.slave | propagation.recursive,
  unbindable: propagation.unbindable,
  runbindable: propagation.unbindable | propagation.recursive,
};

const behaviourOptions = ['bind', 'rbind', 'remount', 'tmpcopyup', 'idmap', 'ridmap', 'src-nofollow', 'defaults'] as const;

/** Every option that is not the filesystem's own, for `features`. */
export const knownMountOptions: readonly string[] = [
  ...behaviourOptions,
  ...Object.keys(attributeOptions),
  ...Object.keys(attributeOptions).map((name) => `r${name}`),
  ...Object.keys(propagationOptions),
].sort();

/** Later options win over earlier ones, as with mount(8). */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let bind: MountOptions['bind'] = 'no';
  let idMapped: MountOptions['idMapped'] = 'no';
  let own: Change = [0, 0];
  let tree: Change = [0, 0];
  const propagations: number[] = [];
  const filesystem: string[] = [];
  for (const option of options) {
    if (option === 'bind' || option === 'rbind') bind = option;
    else if (option === 'idmap' || option === 'ridmap') idMapped = option;
    else if (Object.hasOwn(propagationOptions, option)) propagations.push(propagationOptions[option] ?? 0);
    else if (Object.hasOwn(attributeOptions, option)) own = merge(own, attributeOptions[option]);
    else if (option.startsWith('r') && Object.hasOwn(attributeOptions, option.slice(1))) tree = merge(tree, attributeOptions[option.slice(1)]);
    else if (!(behaviourOptions as readonly string[]).includes(option)) filesystem.push(option);
  }
  return {
    bind,
    remount: options.includes('remount'),
    set: own[0],
    clear: own[1],
    recursiveSet: tree[0],
    recursiveClear: tree[1],
    propagation: propagations,
    copyUp: options.includes('tmpcopyup'),
    idMapped,
    sourceNoFollow: options.includes('src-nofollow'),
    filesystem,
  };
}

/** The access-time field stays in `clear` even when a mode of it is set; every other bit is in one of the two. */
function merge([set, clear]: Change, [more, less]: Change = [0, 0]): Change {
  const touchesAtime = (less & mountAttr.atimeMask) !== 0;
  const kept = set & ~less;
  const cleared = (clear & ~(more & ~mountAttr.atimeMask)) | less;
  return [kept | more, touchesAtime ? cleared | mountAttr.atimeMask : cleared];
}
