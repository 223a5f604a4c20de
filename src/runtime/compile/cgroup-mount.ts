import type { Op } from '../../kernel/index.ts';
import { mountAttr } from './linux-numbers.ts';
import type { MountOptions } from './mount-options.ts';
import { attributes, type MountContext, treeChanges } from './mounts.ts';

/**
 * A mount of type cgroup shows the container its own cgroups alone. On v1 and hybrid machines: a tmpfs with one directory a hierarchy;
 * on pure v2: the v2 tree, either through the container's cgroup namespace or as a bind of its directory.
 */
export function cgroupMount(target: string, type: 'cgroup' | 'cgroup2', options: MountOptions, context: MountContext): readonly Op[] {
  const { root, cgroup, namespaces } = context;
  const attrs = attributes(options);
  if (type === 'cgroup' && cgroup.v1.length > 0) {
    const unified = cgroup.v2 === undefined ? [] : [cgroup.v2, 'unified'];
    return [
      {
        op: 'mount_cgroup_v1',
        side: 'init',
        root,
        target,
        dirs: [...cgroup.v1.flatMap(({ name, dir }) => [dir, name]), ...unified],
        links: cgroup.v1Links.flat(),
        attrs,
      },
      ...treeChanges(target, options, context),
    ];
  }
  const place: Op =
    namespaces.has('cgroup') || cgroup.v2 === undefined
      ? { op: 'mount_fs', side: 'init', root, target, fstype: 'cgroup2', source: 'cgroup', options: options.filesystem, attrs, create: 1 }
      : { op: 'mount_bind', side: 'init', root, target, source: cgroup.v2, recursive: 0, set: attrs & ~mountAttr.atimeMask, create: 1 };
  return [place, ...treeChanges(target, options, context)];
}
