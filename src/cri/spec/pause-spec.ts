import type { criPod } from '../../api/cri/index.ts';
import { pauseProcess } from '../../core/tasks/index.ts';
import type { LinuxSpec, Namespace, RuntimeSpec } from '../../oci/index.ts';
import type { CriContext } from '../context.ts';
import { podAnnotations } from './annotations.ts';
import { cgroupPath } from './cgroup-path.ts';

export interface PauseSpecInput {
  readonly podId: string;
  readonly config: criPod.PodSandboxConfig;
  /** Those that it makes, and those that it joins. */
  readonly namespaces: readonly Namespace[];
  readonly mappings: Pick<LinuxSpec, 'uidMappings' | 'gidMappings'> | undefined;
  readonly hostname: string | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
}

/** containerd's: a pod's first process is the last to be killed for want of memory, and gets the least of a busy processor. */
const oomScoreAdj = -998;
const cpuShares = 2;

/** The process that holds what a pod's containers share. */
export function pauseSpec(input: PauseSpecInput, { cgroups, pauseProgram, security }: Pick<CriContext, 'cgroups' | 'pauseProgram' | 'security'>): RuntimeSpec {
  const { podId, config, namespaces, mappings, hostname, sysctls } = input;
  const { process, root, mounts } = pauseProcess(pauseProgram);
  return {
    ociVersion: '1.3.0',
    process: { ...process, oomScoreAdj: Math.max(oomScoreAdj, security.lowestOomScoreAdj) },
    root,
    ...(hostname === undefined ? {} : { hostname }),
    mounts: [...mounts, { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] }],
    annotations: { ...podAnnotations(podId, config), 'io.kubernetes.cri.container-type': 'sandbox' },
    linux: {
      ...mappings,
      cgroupsPath: cgroupPath(config.linux?.cgroupParent ?? '', podId, cgroups.driver),
      resources: { cpu: { shares: cpuShares } },
      namespaces,
      ...(Object.keys(sysctls).length === 0 ? {} : { sysctl: sysctls }),
    },
  };
}
