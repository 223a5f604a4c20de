import type { IdMapping, Mount, ProcessSpec, RuntimeSpec } from '../../oci/index.ts';
import { invalid } from './error.ts';
import type { NamespacePlan } from './namespaces.ts';

/** What an ordinary user's configuration must be like, in runc's words: a user namespace, and no id that is not in it. */
export function checkRootless(spec: RuntimeSpec, namespaces: NamespacePlan): void {
  if (!namespaces.has('user')) throw invalid('linux.namespaces', 'rootless container requires user namespaces');
  const { uidMappings = [], gidMappings = [], netDevices = {} } = spec.linux ?? {};
  if (Object.keys(netDevices).length > 0) throw invalid('linux.netDevices', 'network devices are not supported for rootless containers');
  for (const [index, mount] of (spec.mounts ?? []).entries()) {
    if ((mount.uidMappings?.length ?? 0) > 0 || (mount.gidMappings?.length ?? 0) > 0)
      throw invalid(`mounts[${index}]`, 'id-mapped mounts are not supported for rootless containers');
    // The maps of a namespace that is joined are the kernel's to know.
    if (namespaces.made.has('user')) checkMountIds(`mounts[${index}]`, mount, uidMappings, gidMappings);
  }
}

/** Supplementary groups are the user's own: no other can be taken on (user_namespaces(7)). */
export function checkRootlessGroups({ user }: ProcessSpec): void {
  if ((user?.additionalGids ?? []).length > 0) throw invalid('process.user', 'cannot set any additional groups in a rootless container');
}

function checkMountIds(field: string, { options = [] }: Mount, uids: readonly IdMapping[], gids: readonly IdMapping[]): void {
  for (const option of options) {
    const [, kind, digits] = /^([ug]id)=(\d+)$/.exec(option) ?? [];
    if (kind === undefined || isMapped(Number(digits), kind === 'uid' ? uids : gids)) continue;
    const why = `user namespaces enabled, but no mapping found for ${kind} ${digits}`;
    throw invalid(field, `cannot specify ${option} mount option for rootless container: ${why}`);
  }
}

function isMapped(id: number, mappings: readonly IdMapping[]): boolean {
  return mappings.some(({ containerID, size }) => id >= containerID && id < containerID + size);
}
