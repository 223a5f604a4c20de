import { readFileSync } from 'node:fs';
import { criLinux } from '../../api/cri/index.ts';
import { errorMessage } from '../../base/index.ts';
import type { LinuxSeccomp } from '../../oci/index.ts';
import type { PodSecurity } from '../context.ts';
import { invalid, refused } from '../refusals.ts';

const { SecurityProfile_ProfileType: Kind } = criLinux;
const localhostPrefix = 'localhost/';
const maxProfileBytes = 1024 * 1024;

type Confined = Pick<criLinux.LinuxContainerSecurityContext, 'privileged' | 'seccomp' | 'apparmor' | 'seccompProfilePath' | 'apparmorProfile'>;

/** The filter of a process; undefined: none. Without a word there is none, and a privileged container has none. */
export function seccompOf(context: Confined | undefined, security: PodSecurity, capabilities: readonly string[]): LinuxSeccomp | undefined {
  if (context === undefined || context.privileged) return undefined;
  const profile = context.seccomp ?? olderProfile(context.seccompProfilePath);
  switch (profile?.profileType) {
    case undefined:
    case Kind.Unconfined:
      return undefined;
    case Kind.RuntimeDefault:
      return security.seccomp(capabilities);
    case Kind.Localhost:
      return security.parseSeccomp(readProfile(profile.localhostRef), capabilities);
    default:
      throw invalid(`unknown kind of a seccomp profile: ${profile?.profileType}`);
  }
}

/** The deprecated field: `runtime/default`, `docker/default`, `unconfined`, `localhost/PATH`. */
function olderProfile(path: string): Pick<criLinux.SecurityProfile, 'profileType' | 'localhostRef'> | undefined {
  if (path === '') return undefined;
  if (path === 'runtime/default' || path === 'docker/default') return { profileType: Kind.RuntimeDefault, localhostRef: '' };
  if (path === 'unconfined') return { profileType: Kind.Unconfined, localhostRef: '' };
  if (path.startsWith(localhostPrefix)) return { profileType: Kind.Localhost, localhostRef: path.slice(localhostPrefix.length) };
  throw invalid(`invalid seccomp profile ${JSON.stringify(path)}`);
}

function readProfile(reference: string): string {
  const file = reference.startsWith(localhostPrefix) ? reference.slice(localhostPrefix.length) : reference;
  if (!file.startsWith('/')) throw invalid(`seccomp profile ${JSON.stringify(reference)} must be an absolute path`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refused('InvalidArgument', `failed to load seccomp profile ${JSON.stringify(file)}: ${errorMessage(cause)}`, {}, cause);
  }
  if (text.length > maxProfileBytes) throw invalid(`seccomp profile ${JSON.stringify(file)} is longer than ${maxProfileBytes} bytes`);
  return text;
}

/** Linux's own word on whether it enforces AppArmor's profiles. */
const apparmorSwitch = '/sys/module/apparmor/parameters/enabled';

/** The AppArmor profile of a process, where the machine enforces one: it is refused rather than forgotten where it does not. Undefined: none is asked for. */
export function apparmorOf(context: Confined | undefined, isEnforced = isApparmorEnforced): string | undefined {
  if (context === undefined || context.privileged) return undefined;
  const { apparmor, apparmorProfile } = context;
  const named =
    apparmor === undefined
      ? apparmorProfile.startsWith(localhostPrefix)
        ? apparmorProfile.slice(localhostPrefix.length)
        : ''
      : apparmor.profileType === Kind.Localhost
        ? apparmor.localhostRef.replace(new RegExp(`^${localhostPrefix}`), '')
        : '';
  if (named === '') return undefined;
  if (!isEnforced()) throw invalid(`AppArmor profile ${JSON.stringify(named)} cannot be applied: AppArmor is not enabled on this machine`);
  return named;
}

function isApparmorEnforced(): boolean {
  try {
    return readFileSync(apparmorSwitch, 'utf8').startsWith('Y');
  } catch {
    return false;
  }
}

/** SELinux's labels are not put on: who asks for one gets no container without it. */
export function refuseSelinux(options: criLinux.SELinuxOption | undefined): void {
  const parts = [options?.user, options?.role, options?.type, options?.level].filter((part) => part !== undefined && part !== '');
  if (parts.length > 0) throw invalid(`SELinux label ${JSON.stringify(parts.join(':'))} cannot be applied: SELinux is not supported`);
}
