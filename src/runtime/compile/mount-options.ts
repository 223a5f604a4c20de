import { mountAttr, mountFlags, propagation } from './linux-numbers.ts';

/** Mount options (config.md, "Linux mount options") taken apart for the new mount API. */
export interface MountOptions {
  readonly bind: 'no' | 'bind' | 'rbind';
  readonly remount: boolean;
  /** MOUNT_ATTR_* that are asked for on the mount itself, and those asked to be off; the access-time field is cleared with each mode of it */
  readonly set: number;
  readonly clear: number;
  /** a flag is named, set or cleared: then a bind has just the flags that are named (runc) */
  readonly exact: boolean;
  /** `set` and `clear` on the whole tree (`rro`, `rnosuid`, …) */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  /** MS_* propagation, each applied in turn */
  readonly propagation: readonly number[];
  readonly copyUp: boolean;
  readonly idMapped: 'no' | 'idmap' | 'ridmap';
  /** what follows `idmap=`: mappings as crun writes them */
  readonly idMapping: string;
  /** crun: a symbolic link as source, or as target, is meant itself; or is made again in the container */
  readonly sourceNoFollow: boolean;
  readonly targetNoFollow: boolean;
  readonly copySymlink: boolean;
  /** MS_* of the superblock: what every filesystem has, and no mount for itself */
  readonly superblock: number;
  /** what the filesystem itself reads: `size=64k`, `mode=755`, … */
  readonly filesystem: readonly string[];
}

type Change = readonly [set: number, clear: number];

/** Flags of the mount, but for access times, which are one field (`withAccessTime`). */
const attributeOptions: Readonly<Record<string, Change>> = {
  ro: [mountAttr.readonly, 0],
  rw: [0, mountAttr.readonly],
  nosuid: [mountAttr.nosuid, 0],
  suid: [0, mountAttr.nosuid],
  nodev: [mountAttr.nodev, 0],
  dev: [0, mountAttr.nodev],
  noexec: [mountAttr.noexec, 0],
  exec: [0, mountAttr.noexec],
  nodiratime: [mountAttr.nodiratime, 0],
  diratime: [0, mountAttr.nodiratime],
  nosymfollow: [mountAttr.nosymfollow, 0],
  symfollow: [0, mountAttr.nosymfollow],
};

type AccessTime = 'noatime' | 'relatime' | 'strictatime';
const accessTimeOptions: Readonly<Record<string, readonly [mode: AccessTime, on: boolean]>> = {
  noatime: ['noatime', true],
  atime: ['noatime', false],
  relatime: ['relatime', true],
  norelatime: ['relatime', false],
  strictatime: ['strictatime', true],
  nostrictatime: ['strictatime', false],
};
/** mount_setattr(2): relatime is the field's zero. */
const accessTimeValues = { noatime: mountAttr.noatime, relatime: 0, strictatime: mountAttr.strictatime } as const;

const superblockOptions: Readonly<Record<string, Change>> = {
  sync: [mountFlags.synchronous, 0],
  async: [0, mountFlags.synchronous],
  dirsync: [mountFlags.dirsync, 0],
  mand: [mountFlags.mandlock, 0],
  nomand: [0, mountFlags.mandlock],
  lazytime: [mountFlags.lazytime, 0],
  nolazytime: [0, mountFlags.lazytime],
  iversion: [mountFlags.iversion, 0],
  noiversion: [0, mountFlags.iversion],
  silent: [mountFlags.silent, 0],
  loud: [0, mountFlags.silent],
};

/** crun knows these for trees. A new filesystem has none below it, and no bind has a superblock: they are the plain ones. */
const treeSuperblockOptions = new Set(['rsync', 'rasync', 'rdirsync', 'rmand', 'rnomand']);

export function superblockOptionNames(flags: number): readonly string[] {
  return Object.keys(superblockOptions).filter((name) => ((superblockOptions[name]?.[0] ?? 0) & flags) !== 0);
}

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

const behaviourOptions = ['bind', 'rbind', 'remount', 'tmpcopyup', 'idmap', 'ridmap', 'src-nofollow', 'dest-nofollow', 'copy-symlink', 'defaults'] as const;
const ofMount = [...Object.keys(attributeOptions), ...Object.keys(accessTimeOptions)];

/** Every option that is not the filesystem's own, for `features`. */
export const knownMountOptions: readonly string[] = [
  ...behaviourOptions,
  ...ofMount,
  ...ofMount.map((name) => `r${name}`),
  ...Object.keys(superblockOptions),
  ...treeSuperblockOptions,
  ...Object.keys(propagationOptions),
].sort();

export function parseMountOptions(options: readonly string[]): MountOptions {
  let bind: MountOptions['bind'] = 'no';
  let idMapped: MountOptions['idMapped'] = 'no';
  let idMapping = '';
  let own: Change = [0, 0];
  let tree: Change = [0, 0];
  let superblock: Change = [0, 0];
  let exact = false;
  const accessTimes = new Set<AccessTime>();
  const propagations: number[] = [];
  const filesystem: string[] = [];
  for (const option of options) {
    const onTree = option.slice(1);
    if (option === 'bind' || option === 'rbind') bind = bind === 'rbind' ? bind : option;
    else if (/^r?idmap(=|$)/.test(option)) [idMapped, idMapping] = idMapOption(option);
    else if (Object.hasOwn(propagationOptions, option)) propagations.push(propagationOptions[option] ?? 0);
    else if (Object.hasOwn(attributeOptions, option)) own = merge(own, attributeOptions[option]);
    else if (Object.hasOwn(accessTimeOptions, option)) note(accessTimes, accessTimeOptions[option]);
    else if (Object.hasOwn(superblockOptions, option)) superblock = merge(superblock, superblockOptions[option]);
    else if (treeSuperblockOptions.has(option)) superblock = merge(superblock, superblockOptions[onTree]);
    else if (option.startsWith('r') && Object.hasOwn(attributeOptions, onTree)) tree = merge(tree, attributeOptions[onTree]);
    else if (option.startsWith('r') && Object.hasOwn(accessTimeOptions, onTree)) tree = withTreeAccessTime(tree, accessTimeOptions[onTree]);
    else if (!(behaviourOptions as readonly string[]).includes(option)) filesystem.push(withoutQuotes(option));
    exact ||= Object.hasOwn(attributeOptions, option) || Object.hasOwn(accessTimeOptions, option) || Object.hasOwn(superblockOptions, option);
  }
  const [set, clear] = withAccessTime(own, accessTimes);
  return {
    bind,
    remount: options.includes('remount'),
    set,
    clear,
    exact,
    recursiveSet: tree[0],
    recursiveClear: tree[1],
    propagation: propagations,
    copyUp: options.includes('tmpcopyup'),
    idMapped,
    idMapping,
    sourceNoFollow: options.includes('src-nofollow'),
    targetNoFollow: options.includes('dest-nofollow'),
    copySymlink: options.includes('copy-symlink'),
    superblock: superblock[0],
    filesystem,
  };
}

function idMapOption(option: string): readonly [MountOptions['idMapped'], string] {
  const [name = '', ...mapping] = option.split('=');
  return [name === 'ridmap' ? 'ridmap' : 'idmap', mapping.join('=')];
}

/** The later of two that contradict each other counts. */
function merge([set, clear]: Change, [more, less]: Change = [0, 0]): Change {
  return [(set & ~less) | more, (clear & ~more) | less];
}

function note(modes: Set<AccessTime>, [mode, on]: readonly [AccessTime, boolean] = ['relatime', false]): void {
  if (on) modes.add(mode);
  else modes.delete(mode);
}

/**
 * As mount(2) reads the flags of access times: strictatime before noatime before relatime, which `nodiratime` alone implies. Without any of
 * them the old ones stay; a mode that is turned off alone changes nothing.
 */
function withAccessTime([set, clear]: Change, modes: ReadonlySet<AccessTime>): Change {
  const kept = clear & ~mountAttr.nodiratime;
  if (modes.size === 0 && (set & mountAttr.nodiratime) === 0) return [set, kept];
  const mode = (['strictatime', 'noatime', 'relatime'] as const).find((name) => modes.has(name)) ?? 'relatime';
  return [set | accessTimeValues[mode], kept | mountAttr.atimeMask | (mountAttr.nodiratime & ~set)];
}

/** On a tree each one sets the whole field (mount_setattr(2)); a mode that is turned off gives the default. */
function withTreeAccessTime([set, clear]: Change, [mode, on]: readonly [AccessTime, boolean] = ['relatime', false]): Change {
  return [(set & ~mountAttr.atimeMask) | (on ? accessTimeValues[mode] : 0), clear | mountAttr.atimeMask];
}

/** Labels are quoted for mount(2), where a comma ends an option; each option stands alone here. */
function withoutQuotes(option: string): string {
  return option.replace(/^((?:fs|def|root)?context)="(.*)"$/, '$1=$2');
}
