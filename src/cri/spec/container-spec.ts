import { hostname as machineName } from 'node:os';
import type { criContainer, criLinux, criPod } from '../../api/cri/index.ts';
import { type Accounts, capabilitySets } from '../../core/index.ts';
import type { CapabilitiesSpec, ImageProcessConfig, RuntimeSpec } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import type { PodNamespaces } from '../pods/pod.ts';
import { invalid } from '../refusals.ts';
import { containerAnnotations } from './annotations.ts';
import { podCapabilities } from './capabilities.ts';
import { cgroupPath } from './cgroup-path.ts';
import { apparmorOf, refuseSelinux, seccompOf } from './confinement.ts';
import { podDevices } from './devices.ts';
import { containerMounts, type MountInput } from './mounts.ts';
import { containerNamespaces, userMappings } from './namespaces.ts';
import { commandLine, environment } from './process.ts';
import { resourceSpec } from './resources.ts';
import { podUser } from './user.ts';

export interface ContainerSpecInput {
  readonly id: string;
  readonly config: criContainer.ContainerConfig;
  readonly pod: { readonly id: string; readonly config: criPod.PodSandboxConfig; readonly namespaces: PodNamespaces };
  readonly image: { readonly name: string; readonly config: ImageProcessConfig };
  readonly accounts: Accounts;
  /** With sources that are there. */
  readonly mounts: MountInput['mounts'];
  readonly own: MountInput['own'];
  readonly targetPid?: string;
}

/** A container of Kubernetes as an OCI configuration. */
export function containerSpec(input: ContainerSpecInput, { security, cgroups }: Pick<CriContext, 'security' | 'cgroups'>): RuntimeSpec {
  const { id, config, pod, image } = input;
  const context = config.linux?.securityContext;
  const privileged = context?.privileged ?? false;
  if (privileged && !(pod.config.linux?.securityContext?.privileged ?? false)) throw invalid('no privileged container allowed in sandbox');
  refuseSelinux(context?.selinuxOptions);
  const { capabilities, ambient } = podCapabilities(context, security.availableCapabilities);
  const { home, ...user } = podUser(context, image.config.User ?? '', input.accounts);
  const devices = podDevices(config.devices, privileged);
  const seccomp = seccompOf(context, security, capabilities);
  const apparmor = apparmorOf(context);
  const { mounts, rootfsPropagation } = containerMounts({
    mounts: input.mounts,
    own: input.own,
    sharedMemory: pod.namespaces.sharedMemory,
    privileged,
    bindsSys: pod.namespaces.user !== undefined && pod.namespaces.network === undefined,
  });
  const mappings = userMappingsOf(pod.config, context);
  const env = environment(config, image.config, pod.config.hostname === '' ? machineName() : pod.config.hostname);
  return {
    ociVersion: '1.3.0',
    process: {
      terminal: config.tty,
      user,
      args: commandLine(config, image.config),
      env: env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`],
      cwd: config.workingDir || image.config.WorkingDir || '/',
      capabilities: withAmbient(capabilitySets(capabilities, user.uid), ambient),
      ...(context?.noNewPrivs ? { noNewPrivileges: true } : {}),
      ...(apparmor === undefined ? {} : { apparmorProfile: apparmor }),
      // What the machine may not give is as low as it can be.
      oomScoreAdj: Math.max(Number(config.linux?.resources?.oomScoreAdj ?? 0n), security.lowestOomScoreAdj),
    },
    root: { path: 'rootfs', readonly: context?.readonlyRootfs ?? false },
    mounts,
    annotations: containerAnnotations(pod.id, pod.config, { name: config.metadata?.name ?? '', image: image.name }),
    linux: {
      ...mappings,
      cgroupsPath: cgroupPath(pod.config.linux?.cgroupParent ?? '', id, cgroups.driver),
      resources: resourceSpec(config.linux?.resources, devices.rules),
      namespaces: containerNamespaces(context?.namespaceOptions, {
        pod: pod.namespaces,
        ...(input.targetPid === undefined ? {} : { targetPid: input.targetPid }),
        // On v1 programs look for their limits in the tree itself; what is privileged sees the machine's.
        ownCgroupNamespace: cgroups.version === 2 && !privileged,
      }),
      devices: devices.devices,
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(rootfsPropagation === undefined ? {} : { rootfsPropagation }),
      maskedPaths: privileged ? [] : (context?.maskedPaths ?? []),
      readonlyPaths: privileged ? [] : (context?.readonlyPaths ?? []),
    },
  };
}

/** The pod's: a container that asks for others than its pod has would not get them. */
function userMappingsOf(pod: criPod.PodSandboxConfig, context: criLinux.LinuxContainerSecurityContext | undefined): ReturnType<typeof userMappings> {
  const own = context?.namespaceOptions?.usernsOptions;
  const pods = pod.linux?.securityContext?.namespaceOptions?.usernsOptions;
  const [wanted, there] = [userMappings(own), userMappings(pods)];
  if (JSON.stringify(wanted) !== JSON.stringify(there)) throw invalid('the user namespace of the container is not that of its sandbox');
  return there;
}

/** Ambient ones must be inheritable too (capabilities(7)); then a process that is not root keeps them, and only them. */
function withAmbient(sets: CapabilitiesSpec, ambient: readonly string[]): CapabilitiesSpec {
  if (ambient.length === 0) return sets;
  const besides = (names: readonly string[] = []) => [...new Set([...names, ...ambient])];
  return { ...sets, effective: besides(sets.effective), permitted: besides(sets.permitted), inheritable: ambient, ambient };
}
