import type { Op } from '../../../kernel/index.ts';
import { hasIdMap, mappedMountOps } from '../../../runtime/index.ts';
import type { TaskRootfs } from '../tasks.ts';

const readOnly = 1; // MOUNT_ATTR_RDONLY
const recursiveBind = 0;
/** Free again afterwards; a restore has slots of its own below. */
const mapSlots = { userns: 2, tree: 3 };

/** Mounts a root filesystem at a path of the host, for a runtime that wants it there. */
export function mountRootfs(rootfs: TaskRootfs, target: string): readonly Op[] {
  if (hasIdMap(rootfs)) {
    const attrs = rootfs.type === 'overlay' && rootfs.readonly ? readOnly : 0;
    return [
      ...mappedMountOps(rootfs, { slots: mapSlots, asLower: false, attrs }),
      { op: 'attach', side: 'host', fd: mapSlots.tree, target },
      { op: 'close', side: 'host', fd: mapSlots.tree },
    ];
  }
  switch (rootfs.type) {
    case 'directory':
      return [];
    case 'bind':
      return [{ op: 'mount_bind', side: 'host', source: rootfs.source, target, recursive: recursiveBind, ...(rootfs.readonly ? { set: readOnly } : {}) }];
    case 'overlay':
      return [
        {
          op: 'overlay',
          side: 'host',
          target,
          lowers: rootfs.lowers,
          upper: rootfs.upper ?? '',
          work: rootfs.work ?? '',
          ...(rootfs.readonly ? { attrs: readOnly } : {}),
        },
      ];
  }
}
