import type { Op } from '../../kernel/index.ts';
import type { IdMapping, LinuxSpec, Mount } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { parseMountOptions } from './mount-options.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { SlotAllocator } from './slots.ts';

/** The lines of uid_map and gid_map (user_namespaces(7)). */
export function idMapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

export interface IdMappedMounts {
  /** on the host, before it joins any user namespace */
  readonly ops: readonly Op[];
  /** slot of the user namespace whose mappings a mount has */
  slotOf(mount: Mount): number | undefined;
}

/**
 * User namespaces for the mounts that map ids, one for each pair of mappings (config.md, "uidMappings"). A mount with `idmap` or `ridmap`
 * and no mappings has those of the container's user namespace.
 */
export function idMappedMounts(
  mounts: readonly Mount[],
  linux: LinuxSpec | undefined,
  namespaces: NamespacePlan,
  joinedUserSlot: number | undefined,
  slots: SlotAllocator,
): IdMappedMounts {
  const ops: Op[] = [];
  const byText = new Map<string, number>();
  const slotOfMount = new Map<Mount, number>();
  for (const [index, mount] of mounts.entries()) {
    if (!isIdMapped(mount)) continue;
    const field = `mounts[${index}]`;
    const options = parseMountOptions(mount.options ?? []);
    if (options.bind === 'no' && mount.type !== 'bind') throw invalid(field, 'id-mapped mounts are only supported for bind-mounts');
    const written = options.idMapping === '' ? undefined : writtenMappings(field, options.idMapping, linux);
    const implied = written === undefined && mount.uidMappings === undefined && mount.gidMappings === undefined && namespaces.has('user');
    if (implied && joinedUserSlot !== undefined) {
      slotOfMount.set(mount, joinedUserSlot);
      continue;
    }
    const uids = idMapText((implied ? linux?.uidMappings : (written?.uids ?? mount.uidMappings)) ?? []);
    const gids = idMapText((implied ? linux?.gidMappings : (written?.gids ?? mount.gidMappings)) ?? []);
    if (uids === '' || gids === '') throw invalid(field, 'id-mapped mounts must have both uid and gid mappings specified');
    const text = `${uids}\n${gids}`;
    let slot = byText.get(text);
    if (slot === undefined) {
      slot = slots.take();
      byText.set(text, slot);
      ops.push({ op: 'userns', side: 'host', out: slot, uids, gids });
    }
    slotOfMount.set(mount, slot);
  }
  return { ops, slotOf: (mount) => slotOfMount.get(mount) };
}

export function isIdMapped(mount: Mount): boolean {
  return (mount.uidMappings?.length ?? 0) > 0 || (mount.gidMappings?.length ?? 0) > 0 || parseMountOptions(mount.options ?? []).idMapped !== 'no';
}

interface Mappings {
  readonly uids?: readonly IdMapping[];
  readonly gids?: readonly IdMapping[];
}

/**
 * crun's `idmap=uids=0-1-10#10-11-10;gids=@0-100-10`: start in the filesystem, start on the host, length. With @ the second is one of the
 * container's user namespace.
 */
function writtenMappings(field: string, text: string, linux: LinuxSpec | undefined): Mappings {
  const found: { uids?: readonly IdMapping[]; gids?: readonly IdMapping[] } = {};
  for (const part of text.split(';')) {
    const [, kind, list = ''] = /^(uids|gids)=(.+)$/.exec(part) ?? [];
    if (kind !== 'uids' && kind !== 'gids') throw invalid(field, `idmap=${text}: ${JSON.stringify(part)} is neither uids= nor gids=`);
    const container = (kind === 'uids' ? linux?.uidMappings : linux?.gidMappings) ?? [];
    found[kind] = list.split('#').map((range) => writtenMapping(field, range, container));
  }
  return found;
}

function writtenMapping(field: string, range: string, container: readonly IdMapping[]): IdMapping {
  const match = /^(@?)(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(range);
  if (match === null) throw invalid(field, `idmap: ${JSON.stringify(range)} is no range such as 0-100000-65536`);
  const [containerID = 0, hostID = 0, size = 0] = match.slice(2).map(Number);
  if (match[1] === '') return { containerID, hostID, size };
  const outer = container.find((mapping) => hostID >= mapping.containerID && hostID < mapping.containerID + mapping.size);
  if (outer === undefined) throw invalid(field, `idmap: ${range}: the container's user namespace does not map ${hostID}`);
  return { containerID, hostID: hostID - outer.containerID + outer.hostID, size };
}
