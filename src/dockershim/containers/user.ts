/** Whom a container's process runs as. The engine reads names itself, but knows no pod's rules of groups: where they differ from its own it is given numbers. */
import { type criContainer, criLinux } from '../../api/cri/index.ts';
import { type Accounts, type ResolvedUser, resolvePodUser } from '../../core/index.ts';
import { refuse } from '../refuse.ts';

type Security = criLinux.LinuxContainerSecurityContext | undefined;
type ContainerUser = NonNullable<criContainer.ContainerStatus['user']>['linux'];

export interface ImageUser {
  /** What its configuration says. */
  readonly user: string;
  readonly accounts: Accounts;
}

/** As the Engine API has it. `image` is asked only where the engine would add groups by rules of its own. */
export async function engineUser(
  security: Security,
  image: () => Promise<ImageUser>,
): Promise<{ readonly User?: string; readonly GroupAdd: readonly string[] }> {
  const text = userText(security);
  if (security?.runAsGroup === undefined && !isStrict(security))
    return { ...(text === '' ? {} : { User: text }), GroupAdd: (security?.supplementalGroups ?? []).map(String) };
  if (security?.runAsGroup !== undefined && text === '') throw refuse('InvalidArgument', 'runAsGroup is specified without a runAsUser');
  const { user, accounts } = await image();
  const { uid, gid, additionalGids } = podUser(security, user, accounts);
  return { User: `${uid}:${gid}`, GroupAdd: additionalGids.filter((group) => group !== gid).map(String) };
}

/** As the CRI tells it. */
export function statusUser(security: Security, { user, accounts }: ImageUser): Pick<NonNullable<ContainerUser>, 'uid' | 'gid' | 'supplementalGroups'> {
  const { uid, gid, additionalGids } = podUser(security, user, accounts);
  return { uid: BigInt(uid), gid: BigInt(gid), supplementalGroups: additionalGids.map(BigInt) };
}

function podUser(security: Security, imageUser: string, accounts: Accounts): ResolvedUser {
  const gid = security?.runAsGroup?.value;
  return resolvePodUser(
    userText(security) || imageUser,
    { gid: gid === undefined ? undefined : Number(gid), given: (security?.supplementalGroups ?? []).map(Number), isStrict: isStrict(security) },
    accounts,
  );
}

function userText(security: Security): string {
  return security?.runAsUser === undefined ? (security?.runAsUsername ?? '') : String(security.runAsUser.value);
}

function isStrict(security: Security): boolean {
  return security?.supplementalGroupsPolicy === criLinux.SupplementalGroupsPolicy.Strict;
}
