import { copyRoot, makeFiles, type SnapshotLayout } from './layout.ts';

/** Copies the files of one directory into another that is empty. */
export type CopyTree = (from: string, to: string) => Promise<void>;

/** Each snapshot is a whole tree, a copy of the one below: slow and large, and possible on every file system. Usage counts all of the tree. */
export function nativeLayout(copyTree: CopyTree): SnapshotLayout {
  return {
    name: 'native',
    unpacksApart: false,
    mapsIds: false,
    whiteouts: 'plain',
    maxBelow: Number.POSITIVE_INFINITY,
    async make(place, parent) {
      makeFiles(place);
      if (parent === undefined || place.kind !== 'active') return;
      await copyTree(parent, place.files);
      copyRoot(parent, place.files);
    },
    mount({ files, kind }, below) {
      const readonly = kind === 'view';
      return { type: 'bind', source: readonly ? (below[0] ?? files) : files, readonly };
    },
  };
}
