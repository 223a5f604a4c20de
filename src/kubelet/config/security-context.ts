import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { criLinux } from '../../api/cri/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { V1Container, V1PodSpec, V1SecurityContext } from '../kubernetes.ts';

type NamespaceOption = MessageInitShape<typeof criLinux.NamespaceOptionSchema>;
type Profile = MessageInitShape<typeof criLinux.SecurityProfileSchema>;

export interface SecurityDefaults {
  /** Who says nothing of seccomp has the runtime's own profile, rather than none. */
  readonly seccompDefault: boolean;
  /** Where profiles of the kind Localhost are. */
  readonly seccompDir: string;
  /** What is hidden of /proc and /sys, or cannot be written, unless procMount is Unmasked. */
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}

/** Which namespaces a pod's containers share, and with whom. */
export function namespaceOptions(spec: V1PodSpec, userns?: MessageInitShape<typeof criLinux.UserNamespaceSchema>): NamespaceOption {
  const { NODE, POD, CONTAINER } = criLinux.NamespaceMode;
  return {
    network: spec.hostNetwork === true ? NODE : POD,
    ipc: spec.hostIPC === true ? NODE : POD,
    pid: spec.hostPID === true ? NODE : spec.shareProcessNamespace === true ? POD : CONTAINER,
    ...(userns === undefined ? {} : { usernsOptions: userns }),
  };
}

/** Who a pod's processes are, for those containers that do not say it themselves. */
export function sandboxSecurityContext(
  spec: V1PodSpec,
  namespaces: NamespaceOption,
  defaults: SecurityDefaults,
): MessageInitShape<typeof criLinux.LinuxSandboxSecurityContextSchema> {
  const context = spec.securityContext ?? {};
  const privileged = [...spec.containers, ...(spec.initContainers ?? [])].some((container) => container.securityContext?.privileged === true);
  return {
    namespaceOptions: namespaces,
    privileged,
    ...identity(context),
    ...groups(spec),
    seccomp: profile(context.seccompProfile, { ...defaults, privileged: false }),
    ...selinux(context.seLinuxOptions),
  };
}

export function containerSecurityContext(
  container: V1Container,
  spec: V1PodSpec,
  namespaces: NamespaceOption,
  defaults: SecurityDefaults,
): MessageInitShape<typeof criLinux.LinuxContainerSecurityContextSchema> {
  const pod = spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  const privileged = own.privileged === true;
  const open = privileged || own.procMount === 'Unmasked';
  const apparmor = own.appArmorProfile ?? pod.appArmorProfile;
  return {
    namespaceOptions: namespaces,
    privileged,
    readonlyRootfs: own.readOnlyRootFilesystem === true,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    capabilities: { addCapabilities: own.capabilities?.add ?? [], dropCapabilities: own.capabilities?.drop ?? [] },
    ...identity({ ...pod, ...own }),
    ...groups(spec),
    seccomp: profile(own.seccompProfile ?? pod.seccompProfile, { ...defaults, privileged }),
    ...(apparmor === undefined ? {} : { apparmor: profile(apparmor, { seccompDefault: true, seccompDir: '', privileged: false }) }),
    ...selinux(own.seLinuxOptions ?? pod.seLinuxOptions),
    maskedPaths: open ? [] : [...defaults.maskedPaths],
    readonlyPaths: open ? [] : [...defaults.readonlyPaths],
  };
}

function identity({ runAsUser, runAsGroup }: Pick<V1SecurityContext, 'runAsUser' | 'runAsGroup'>) {
  return {
    ...(runAsUser === undefined ? {} : { runAsUser: { value: BigInt(runAsUser) } }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: BigInt(runAsGroup) } }),
  };
}

function groups({ securityContext = {} }: V1PodSpec) {
  const { supplementalGroups = [], fsGroup, supplementalGroupsPolicy } = securityContext;
  return {
    supplementalGroups: [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])].map(BigInt),
    supplementalGroupsPolicy: supplementalGroupsPolicy === 'Strict' ? criLinux.SupplementalGroupsPolicy.Strict : criLinux.SupplementalGroupsPolicy.Merge,
  };
}

function selinux(options: V1SecurityContext['seLinuxOptions']) {
  return options === undefined ? {} : { selinuxOptions: options };
}

interface ProfileDefaults extends Pick<SecurityDefaults, 'seccompDefault' | 'seccompDir'> {
  readonly privileged: boolean;
}

function profile(
  asked: { readonly type: string; readonly localhostProfile?: string } | undefined,
  { seccompDefault, seccompDir, privileged }: ProfileDefaults,
): Profile {
  const { RuntimeDefault, Unconfined, Localhost } = criLinux.SecurityProfile_ProfileType;
  if (asked === undefined) return { profileType: seccompDefault && !privileged ? RuntimeDefault : Unconfined };
  if (asked.type === 'RuntimeDefault') return { profileType: RuntimeDefault };
  if (asked.type === 'Unconfined') return { profileType: Unconfined };
  const name = asked.localhostProfile ?? '';
  if (asked.type !== 'Localhost' || name === '' || name.split('/').includes('..'))
    throw new StrakeError('InvalidArgument', `${JSON.stringify(asked.type)} with ${JSON.stringify(name)} is no security profile`, {
      fields: { layer: 'kubelet' },
    });
  return { profileType: Localhost, localhostRef: seccompDir === '' ? name : join(seccompDir, name) };
}
