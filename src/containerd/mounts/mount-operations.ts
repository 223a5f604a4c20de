/** A mount as mount(8) has it, as an operation: by the new mount API, on a directory of ours. */
import type { Op } from '../../kernel/index.ts';
import type { PlainMount } from './format-mount.ts';

/** Options that are attributes of the mount, not of the filesystem: MOUNT_ATTR_* of mount_setattr(2). */
const attributes: ReadonlyMap<string, bigint> = new Map([
  ['ro', 1n],
  ['nosuid', 2n],
  ['nodev', 4n],
  ['noexec', 8n],
  ['noatime', 0x10n],
  ['nodiratime', 0x80n],
]);
/** Say what is so anyway. */
const without: ReadonlySet<string> = new Set(['rw', 'suid', 'dev', 'exec', 'bind', 'rbind', 'defaults', 'relatime']);

export function mountOperation({ type, source, options }: PlainMount, target: string): Op {
  const set = options.reduce((all, option) => all | (attributes.get(option) ?? 0n), 0n);
  if (type === 'bind' || type === 'rbind')
    return { op: 'mount_bind', side: 'host', target, source, recursive: Number(type === 'rbind' || options.includes('rbind')), set };
  const own = options.filter((option) => !(attributes.has(option) || without.has(option)));
  if (type !== 'overlay') return { op: 'mount_fs', side: 'host', target, fstype: type, source, options: own, attrs: set };
  const optionOf = (name: string) => own.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  const [lowers, upper, work] = [optionOf('lowerdir').split(':'), optionOf('upperdir'), optionOf('workdir')];
  const rest = own.filter((option) => !/^(lowerdir|upperdir|workdir)=/.test(option));
  return { op: 'overlay', side: 'host', target, lowers, upper, work, options: rest, attrs: set };
}

export function unmountOperation(path: string): Op {
  return { op: 'umount', side: 'host', path, flags: 0, ignore: 1 };
}
