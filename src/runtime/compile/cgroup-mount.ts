import type { Op } from '../../kernel/index.ts';
import { changesInPlace, clearedUnasked, detachedPropagation, propagationInPlace, propagationOp } from './mount-changes.ts';
import type { MountContext, MountRequest } from './mounts.ts';

/** Where a pure v2 machine has the tree (systemd, runc). */
const unifiedMountPoint = '/sys/fs/cgroup';

/**
 * A mount of type cgroup. On v1 and hybrid machines: a tmpfs with one directory a hierarchy, each the container's own. On pure v2 the tree as the
 * container's cgroup namespace shows it; without one a bind of the host's, since a new mount there would change the options of the host's
 * (cgroup_get_tree), and a user namespace may not make one at all.
 */
export function cgroupMount(request: MountRequest, type: 'cgroup' | 'cgroup2', context: MountContext): readonly Op[] {
  const { target, options } = request;
  const { root, cgroup } = context;
  const attrs = options.set;
  const v1 = [...cgroup.v1, ...(cgroup.inherited?.v1 ?? [])];
  const v2 = cgroup.v2 ?? cgroup.inherited?.v2;
  const after = [...changesInPlace(request, context), ...propagationInPlace(request, context)];
  if (type === 'cgroup' && v1.length > 0) {
    const unified = v2 === undefined ? [] : [v2, 'unified'];
    const dirs = [...v1.flatMap(({ name, dir }) => [dir, name]), ...unified];
    return [
      { op: 'mount_cgroup_v1', side: 'init', root, target, dirs, links: cgroup.v1Links.flat(), attrs },
      ...changesInPlace(request, context),
      ...options.propagation.map((flags) => propagationOp(target, flags, root)),
    ];
  }
  if (context.namespaces.has('cgroup') || v2 === undefined)
    return [
      {
        op: 'mount_fs',
        side: 'init',
        root,
        target,
        fstype: 'cgroup2',
        source: 'cgroup',
        options: options.filesystem,
        attrs,
        propagation: detachedPropagation(request),
        create: 1,
      },
      ...after,
    ];
  return [
    {
      op: 'mount_bind',
      side: 'init',
      root,
      target,
      // On a hybrid machine the tree lies elsewhere; the container's part of it is known.
      source: v1.length > 0 ? v2 : unifiedMountPoint,
      recursive: 0,
      set: options.set,
      clear: options.clear,
      clearUnlocked: clearedUnasked(options),
      propagation: detachedPropagation(request),
      create: 1,
    },
    ...after,
  ];
}
