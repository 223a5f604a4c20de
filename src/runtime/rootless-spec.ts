import path from 'node:path';
import type { RuntimeSpec } from '../oci/index.ts';

/**
 * A configuration as an ordinary user can run it, as `spec --rootless` writes it: the user's own ids as root's, the host's network, the host's /sys
 * (a new sysfs belongs to a network namespace), no limits, no ids that are not mapped.
 */
export function rootlessSpec(spec: RuntimeSpec, ids: { readonly uid: number; readonly gid: number }): RuntimeSpec {
  const { resources: _limits, namespaces = [], ...linux } = spec.linux ?? {};
  return {
    ...spec,
    mounts: (spec.mounts ?? []).map((mount) => {
      if (path.posix.normalize(mount.destination) === '/sys')
        return { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] };
      return mount.options === undefined ? mount : { ...mount, options: mount.options.filter((option) => !/^[ug]id=/.test(option)) };
    }),
    linux: {
      uidMappings: [{ containerID: 0, hostID: ids.uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: ids.gid, size: 1 }],
      namespaces: [...namespaces.filter(({ type }) => type !== 'network' && type !== 'user'), { type: 'user' }],
      ...linux,
    },
  };
}
