import { type criLinux, criLinux as linux } from '../../api/cri/index.ts';
import { type Accounts, type ResolvedUser, resolvePodUser } from '../../core/index.ts';
import { invalid } from '../refusals.ts';

type Identity = Pick<criLinux.LinuxContainerSecurityContext, 'runAsUser' | 'runAsUsername' | 'runAsGroup' | 'supplementalGroups' | 'supplementalGroupsPolicy'>;

/** Whom a container's process runs as: the pod's word before the image's. */
export function podUser(context: Identity | undefined, imageUser: string, accounts: Accounts): ResolvedUser {
  const { runAsGroup, supplementalGroups = [], supplementalGroupsPolicy } = context ?? {};
  const groups = {
    gid: runAsGroup === undefined ? undefined : idOf(runAsGroup.value),
    given: supplementalGroups.map(idOf),
    isStrict: supplementalGroupsPolicy === linux.SupplementalGroupsPolicy.Strict,
  };
  return resolvePodUser(userText(context) || imageUser, groups, accounts);
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
