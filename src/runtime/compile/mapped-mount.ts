import type { Op } from '../../kernel/index.ts';
import type { IdMap, RootfsMount } from './options.ts';

/** MOUNT_ATTR_RDONLY (linux/mount.h) */
const readonlyAttribute = 0x1;

type SnapshotMount = Exclude<RootfsMount, { readonly type: 'directory' }>;
type MappedMount = SnapshotMount & { readonly idMap: IdMap };

export interface MappedMountOptions {
  /** Slots of the program for the user namespace that maps, and for the mount. */
  readonly slots: { readonly userns: number; readonly tree: number };
  /** The writable layer is shown as one more lower one: so it is read beside who has it mounted. */
  readonly asLower: boolean;
  readonly attrs?: number;
  readonly isVolatile?: boolean;
}

/** A snapshot with mapped owners as a detached mount in a slot: made on the host, as user namespaces of others may not map. */
export function mappedMountOps(mount: MappedMount, { slots, asLower, attrs = 0, isVolatile = false }: MappedMountOptions): readonly Op[] {
  const { userns, tree } = slots;
  return [
    { op: 'userns', side: 'host', out: userns, uids: mount.idMap.uids, gids: mount.idMap.gids },
    source(mount),
    { op: 'close', side: 'host', fd: userns },
  ];

  function source(from: SnapshotMount): Op {
    if (from.type === 'bind')
      return { op: 'bind_source', side: 'host', out: tree, source: from.source, userns, set: attrs | (from.readonly ? readonlyAttribute : 0) };
    const { lowers, upper, work } = from;
    if (asLower && upper !== undefined)
      return { op: 'overlay_source', side: 'host', out: tree, lowers: [upper, ...lowers], upper: '', work: '', userns, plain: 1, attrs };
    return {
      op: 'overlay_source',
      side: 'host',
      out: tree,
      lowers,
      upper: upper ?? '',
      work: work ?? '',
      userns,
      attrs,
      ...(isVolatile ? { options: ['volatile'] } : {}),
    };
  }
}

export function hasIdMap<Mount extends RootfsMount>(mount: Mount): mount is Mount & MappedMount {
  return mount.type !== 'directory' && mount.idMap !== undefined;
}
