import type { Op } from '../../kernel/index.ts';
import type { IdMapping, LinuxSpec } from '../../oci/index.ts';
import { cannotHonour, invalid } from './error.ts';
import { idMapText } from './id-mapped-mounts.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { OrdinaryUser } from './options.ts';

/** id_map, field `kind`. */
const idMapKind = { uid: 0, gid: 1, setgroups: 2 } as const;

/**
 * The id maps of a new user namespace, once its first process is there. Root writes any map. An ordinary user writes one line alone, that maps the
 * user's own id; every other map is written by the setuid helpers, which ask /etc/subuid and /etc/subgid (user_namespaces(7)).
 */
export function idMapOps(linux: LinuxSpec | undefined, namespaces: NamespacePlan, user: OrdinaryUser | undefined): readonly Op[] {
  const uids = linux?.uidMappings ?? [];
  const gids = linux?.gidMappings ?? [];
  if (!namespaces.has('user') && (uids.length > 0 || gids.length > 0))
    throw invalid('linux.uidMappings', "user namespace mappings specified, but user namespace isn't enabled in the config");
  if (!namespaces.made.has('user')) return [];
  if (uids.length === 0 || gids.length === 0) throw invalid('linux.uidMappings', missingMappings(uids, user));
  if (user === undefined)
    return [
      { op: 'id_map', side: 'host', kind: idMapKind.uid, text: idMapText(uids) },
      { op: 'id_map', side: 'host', kind: idMapKind.gid, text: idMapText(gids) },
    ];
  const ownGroup = isOwnId(gids, user.gid);
  return [
    // What a process lost by leaving a group, a member of the group could get: so the kernel wants this before such a map (CVE-2014-8989).
    ...(ownGroup ? [{ op: 'id_map', side: 'host', kind: idMapKind.setgroups, text: 'deny' } as const] : []),
    isOwnId(uids, user.uid) ? { op: 'id_map', side: 'host', kind: idMapKind.uid, text: idMapText(uids) } : helperOp('newuidmap', user.newuidmap, uids),
    ownGroup ? { op: 'id_map', side: 'host', kind: idMapKind.gid, text: idMapText(gids) } : helperOp('newgidmap', user.newgidmap, gids),
  ];
}

function missingMappings(uids: readonly IdMapping[], user: OrdinaryUser | undefined): string {
  if (user !== undefined) return `rootless containers requires at least one ${uids.length === 0 ? 'UID' : 'GID'} mapping`;
  return 'user namespaces enabled, but no namespace path to join nor mappings to apply specified';
}

function isOwnId(mappings: readonly IdMapping[], id: number): boolean {
  return mappings.length === 1 && mappings[0]?.hostID === id && mappings[0].size === 1;
}

function helperOp(name: string, helper: string | undefined, mappings: readonly IdMapping[]): Op {
  if (helper === undefined)
    throw cannotHonour(
      name === 'newuidmap' ? 'linux.uidMappings' : 'linux.gidMappings',
      `an ordinary user needs ${name} for more than the own id, and it is not in $PATH: install it (Debian: uidmap)`,
    );
  return { op: 'id_map_helper', side: 'host', helper, ids: mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String)) };
}
