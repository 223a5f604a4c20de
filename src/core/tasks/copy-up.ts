import type { Op } from '../../kernel/index.ts';
import { executeNothing } from './execute-nothing.ts';
import type { CreateTask } from './tasks.ts';

/** linux/sched.h, mount(2), open(2) */
const newMountNamespace = 0x0002_0000;
const recursivePrivate = 0x0004_4000;
const openRoot = 0o10200000 | 0o2000000;
const rootSlot = 0;

/** Fills empty volumes with what the root filesystem has in their places, in a mount namespace that goes with the program. */
export function copyUpOps({ spec, rootfs, copyUp = [] }: CreateTask, mountpoint: string): readonly Op[] {
  const binds = (spec.mounts ?? []).filter(({ source }) => source !== undefined && copyUp.includes(source));
  if (binds.length === 0) return [];
  return [
    { op: 'mkdir', side: 'host', path: mountpoint, mode: 0o700 },
    { op: 'clone', side: 'host', flags: newMountNamespace },
    { op: 'propagation', side: 'init', path: '/', flags: recursivePrivate },
    mountOp(rootfs, mountpoint),
    { op: 'open', side: 'init', out: rootSlot, path: mountpoint, flags: openRoot, mode: 0 },
    ...binds.map(({ destination, source = '' }): Op => ({ op: 'copy_up', side: 'init', root: rootSlot, target: destination, dest: source })),
    ...executeNothing,
  ];
}

function mountOp(rootfs: CreateTask['rootfs'], target: string): Op {
  if (rootfs.type !== 'overlay') {
    const source = rootfs.type === 'bind' ? rootfs.source : rootfs.path;
    return { op: 'mount_bind', side: 'init', target, source, recursive: 0 };
  }
  const { lowers, upper } = rootfs;
  return { op: 'overlay', side: 'init', target, lowers: [...(upper === undefined ? [] : [upper]), ...lowers], upper: '', work: '' };
}
