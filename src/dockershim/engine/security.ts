import { readFile } from 'node:fs/promises';
import { criLinux } from '../../api/cri/index.ts';
import { errorMessage } from '../../base/index.ts';
import { refuse } from '../refuse.ts';

const { SecurityProfile_ProfileType: ProfileType } = criLinux;
const maxProfileBytes = 4 << 20;

interface Confined {
  readonly seccomp?: criLinux.SecurityProfile | undefined;
  readonly apparmor?: criLinux.SecurityProfile | undefined;
  readonly selinuxOptions?: criLinux.SELinuxOption | undefined;
}

/** docker's `--security-opt`. Without a profile for seccomp there is none, as in the CRI of containerd. */
export async function securityOptions({ seccomp, apparmor, selinuxOptions }: Confined): Promise<readonly string[]> {
  return [...(await seccompOptions(seccomp)), ...appArmorOptions(apparmor), ...selinuxLabels(selinuxOptions)];
}

async function seccompOptions(profile: criLinux.SecurityProfile | undefined): Promise<readonly string[]> {
  if (profile === undefined || profile.profileType === ProfileType.Unconfined) return ['seccomp=unconfined'];
  if (profile.profileType === ProfileType.RuntimeDefault) return [];
  try {
    const content = await readFile(profile.localhostRef);
    if (content.length > maxProfileBytes) throw new Error(`longer than ${maxProfileBytes} bytes`);
    // The client reads the file, and the engine gets what is in it.
    return [`seccomp=${JSON.stringify(JSON.parse(content.toString()))}`];
  } catch (error) {
    throw refuse('InvalidArgument', `cannot read the seccomp profile ${profile.localhostRef}: ${errorMessage(error)}`);
  }
}

function appArmorOptions(profile: criLinux.SecurityProfile | undefined): readonly string[] {
  if (profile === undefined || profile.profileType === ProfileType.RuntimeDefault) return [];
  return [`apparmor=${profile.profileType === ProfileType.Unconfined ? 'unconfined' : profile.localhostRef}`];
}

function selinuxLabels(options: criLinux.SELinuxOption | undefined): readonly string[] {
  const { user = '', role = '', type = '', level = '' } = options ?? {};
  return Object.entries({ user, role, type, level })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `label=${name}:${value}`);
}
