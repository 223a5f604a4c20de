import { type criLinux, criLinux as linux } from '../../api/cri/index.ts';
import { type Accounts, type ResolvedUser, resolveUser } from '../../core/index.ts';
import { invalid } from '../refusals.ts';

type Identity = Pick<criLinux.LinuxContainerSecurityContext, 'runAsUser' | 'runAsUsername' | 'runAsGroup' | 'supplementalGroups' | 'supplementalGroupsPolicy'>;

/** Whom a container's process runs as: the pod's word before the image's. Groups of the image's /etc/group come with `Merge` alone. */
export function podUser(context: Identity | undefined, imageUser: string, accounts: Accounts): ResolvedUser {
  const resolved = resolveUser(userText(context) || imageUser, accounts);
  const { runAsGroup, supplementalGroups = [], supplementalGroupsPolicy } = context ?? {};
  const gid = runAsGroup === undefined ? resolved.gid : idOf(runAsGroup.value);
  const given = supplementalGroups.map(idOf);
  const listed = supplementalGroupsPolicy === linux.SupplementalGroupsPolicy.Strict ? [] : groupsOf(resolved.uid, accounts);
  return { ...resolved, gid, additionalGids: [...new Set([gid, ...listed, ...given])] };
}

/** Whatever primary group the pod asks for, the image's file says what the user is a member of besides. */
function groupsOf(uid: number, { users, groups }: Accounts): readonly number[] {
  const name = users.find((user) => user.uid === uid)?.name;
  return name === undefined ? [] : groups.filter(({ members }) => members.includes(name)).map(({ gid }) => gid);
}

function userText(context: Identity | undefined): string {
  if (context === undefined) return '';
  const { runAsUser, runAsUsername, runAsGroup } = context;
  if (runAsUser !== undefined) return String(idOf(runAsUser.value));
  if (runAsUsername !== '') return runAsUsername;
  if (runAsGroup !== undefined) throw invalid(`user group "${runAsGroup.value}" is specified without user`);
  return '';
}

function idOf(value: bigint): number {
  if (value < 0n || value >= 2n ** 31n) throw invalid(`uids and gids must be in range 0-2147483647, not ${value}`);
  return Number(value);
}
