import { constants } from 'node:fs';
import type { Launcher, Op } from '../../kernel/index.ts';
import { hasIdMap, type IdMap, mappedMountOps } from '../../runtime/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';
import type { OpenFileTree } from './diff.ts';
import { stackOf } from './stack.ts';

/** Open for lookups only, and never through a link in its place (Linux fcntl.h; node has no name for O_PATH). */
const directoryFlags = 0o10000000 | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** linux/sched.h, mount(2) */
const newMountNamespace = 0x0002_0000;
const recursivePrivate = 0x0004_4000;

/** Sessions of strake-init, each a process that is chrooted into its directory. */
export function createOpenFileTree(launcher: Pick<Launcher, 'fileSession'>): OpenFileTree {
  return async (place, { signal } = {}) => await launcher.fileSession(enter(place), signal === undefined ? {} : { signal });
}

function enter(place: string | SnapshotMount): readonly Op[] {
  if (typeof place !== 'string' && hasIdMap(place)) return enterMapped(place);
  const layers = typeof place === 'string' ? [place] : stackOf(place);
  const [directory = ''] = layers;
  return [
    ...(layers.length > 1 ? mountReadOnly(directory, layers) : []),
    { op: 'open', side: 'host', out: 0, path: directory, flags: directoryFlags, mode: 0 },
    { op: 'chroot', side: 'host', root: 0 },
    { op: 'files', side: 'host' },
  ];
}

/** As above, with the owners that the snapshot shows. */
function enterMapped(mount: SnapshotMount & { readonly idMap: IdMap }): readonly Op[] {
  const [target = ''] = stackOf(mount);
  return [
    { op: 'unshare', side: 'host', flags: newMountNamespace },
    { op: 'propagation', side: 'host', path: '/', flags: recursivePrivate },
    ...mappedMountOps(mount, { slots: { userns: 1, tree: 2 }, asLower: true }),
    { op: 'attach', side: 'host', fd: 2, target },
    { op: 'open', side: 'host', out: 0, path: target, flags: directoryFlags, mode: 0 },
    { op: 'chroot', side: 'host', root: 0 },
    { op: 'files', side: 'host' },
  ];
}

/** In a mount namespace that goes with the session, over the uppermost layer, so that no mount point is needed. The writable one is one more lower layer. */
function mountReadOnly(target: string, lowers: readonly string[]): readonly Op[] {
  return [
    { op: 'unshare', side: 'host', flags: newMountNamespace },
    { op: 'propagation', side: 'host', path: '/', flags: recursivePrivate },
    { op: 'overlay', side: 'host', target, lowers: [...lowers], upper: '', work: '' },
  ];
}
