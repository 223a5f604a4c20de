import { mkdir } from 'node:fs/promises';
import { copyRoot, makeFiles, type SnapshotLayout } from './layout.ts';

/** Each snapshot is a directory of what differs from those below; overlayfs stacks them. */
export const overlayLayout: SnapshotLayout = {
  name: 'overlayfs',
  unpacksApart: true,
  whiteouts: 'overlay',
  // Overlayfs refuses more (OVL_MAX_STACK, fs/overlayfs/params.h).
  maxBelow: 500,
  async make(place, parent) {
    await makeFiles(place);
    if (place.kind === 'active') await mkdir(place.work, { mode: 0o700 });
    if (parent !== undefined) await copyRoot(parent, place.files);
  },
  mount({ files, work, kind }, below) {
    const readonly = kind === 'view';
    if (!readonly && below.length > 0) return { type: 'overlay', lowers: below, upper: files, work, readonly };
    if (below.length > 1) return { type: 'overlay', lowers: below, upper: undefined, work: undefined, readonly };
    return { type: 'bind', source: below[0] ?? files, readonly };
  },
};
