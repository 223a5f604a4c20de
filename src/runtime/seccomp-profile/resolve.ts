import { StrakeError } from '../../base/index.ts';
import type { LinuxSeccomp } from '../../oci/index.ts';
import { defaultProfile } from './default-profile.ts';
import type { ProfileFilter, SeccompProfile } from './profile.ts';

/** What a profile's conditions are about. */
export interface ProfileTarget {
  /** the bounding set of the container: `CAP_SYS_ADMIN`, … */
  readonly capabilities: readonly string[];
  readonly arch: 'x86_64' | 'aarch64';
  /** uname -r: `6.18.44-something` */
  readonly kernelVersion: string;
}

const archNames = {
  x86_64: { docker: 'amd64', oci: 'SCMP_ARCH_X86_64' },
  aarch64: { docker: 'arm64', oci: 'SCMP_ARCH_AARCH64' },
} as const;

/** The default profile for a container. */
export function defaultSeccompProfile(target: ProfileTarget): LinuxSeccomp {
  return resolveSeccompProfile(defaultProfile, target);
}

/** Turns a profile into the runtime's configuration: the rules whose conditions hold, and the architectures of this machine. */
export function resolveSeccompProfile(profile: SeccompProfile, target: ProfileTarget): LinuxSeccomp {
  const { docker, oci } = archNames[target.arch];
  const mapped = profile.archMap?.find(({ architecture }) => architecture === oci);
  const architectures = profile.architectures ?? (mapped ? [mapped.architecture, ...mapped.subArchitectures] : undefined);
  const holds = (filter: ProfileFilter): { readonly caps: readonly boolean[]; readonly arch: boolean | undefined; readonly kernel: boolean | undefined } => ({
    caps: (filter.caps ?? []).map((name) => target.capabilities.includes(name)),
    arch: filter.arches && filter.arches.length > 0 ? filter.arches.includes(docker) : undefined,
    kernel: filter.minKernel === undefined ? undefined : kernelAtLeast(target.kernelVersion, filter.minKernel),
  });
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures ? { architectures } : {}),
    ...(profile.flags ? { flags: profile.flags } : {}),
    ...(profile.listenerPath === undefined ? {} : { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata === undefined ? {} : { listenerMetadata: profile.listenerMetadata }),
    syscalls: profile.syscalls.flatMap(({ includes, excludes, ...rule }) => {
      const excluded = holds(excludes ?? {});
      if (excluded.arch || excluded.kernel || excluded.caps.includes(true)) return [];
      const included = holds(includes ?? {});
      return included.arch === false || included.kernel === false || included.caps.includes(false) ? [] : [rule];
    }),
  };
}

function kernelAtLeast(version: string, minimum: string): boolean {
  const wanted = /^(\d+)\.(\d+)$/.exec(minimum);
  if (!wanted)
    throw new StrakeError('InvalidArgument', `invalid minKernel ${JSON.stringify(minimum)} in the seccomp profile, it is written as 4.8`, {
      fields: { layer: 'runtime' },
    });
  const has = /^(\d+)\.(\d+)/.exec(version);
  const [major, minor, wantedMajor, wantedMinor] = [has?.[1], has?.[2], wanted[1], wanted[2]].map(Number) as [number, number, number, number];
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
