import { mkdirSync } from 'node:fs';
import { copyRoot, makeFiles, type SnapshotLayout } from './layout.ts';

/** Each snapshot is a directory of what differs from those below; overlayfs stacks them. */
export const overlayLayout: SnapshotLayout = {
  name: 'overlayfs',
  unpacksApart: true,
  mapsIds: true,
  whiteouts: 'overlay',
  // Overlayfs refuses more (OVL_MAX_STACK, fs/overlayfs/params.h).
  maxBelow: 500,
  make(place, parent) {
    makeFiles(place);
    if (place.kind === 'active') mkdirSync(place.work, { mode: 0o700 });
    if (parent !== undefined) copyRoot(parent, place.files, place.idMap);
    // As its owner will be shown: a directory without one below is root's.
    else if (place.idMap !== undefined) copyRoot(place.files, place.files, place.idMap);
  },
  mount({ files, work, kind, idMap }, below) {
    const readonly = kind === 'view';
    const mapped = idMap === undefined || below.length === 0 ? {} : { idMap };
    if (!readonly && below.length > 0) return { type: 'overlay', lowers: below, upper: files, work, readonly, ...mapped };
    if (below.length > 1) return { type: 'overlay', lowers: below, upper: undefined, work: undefined, readonly, ...mapped };
    return { type: 'bind', source: below[0] ?? files, readonly, ...mapped };
  },
};
