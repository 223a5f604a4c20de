import type { SeccompSyscall } from '../../oci/index.ts';

/** When a rule counts: architectures in Docker's names, capabilities of the bounding set (every one of `caps`; for excludes: any). */
export interface ProfileFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  /** `4.8` */
  readonly minKernel?: string;
}

export interface ProfileSyscall extends SeccompSyscall {
  readonly includes?: ProfileFilter;
  readonly excludes?: ProfileFilter;
}

/** A seccomp profile in Docker's format (docs.docker.com/engine/security/seccomp). */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly ProfileSyscall[];
}
