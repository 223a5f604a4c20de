import type { criPod } from '../../api/cri/index.ts';
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

/** Where the program is in an otherwise empty root. */
const program = '/pause';
/** containerd's: a pod's first process is the last to be killed for want of memory, and gets the least of a busy processor. */
const oomScoreAdj = -998;
const cpuShares = 2;

/** The process that holds what a pod's containers share. It has no rights, and no files but its own program. */
export function pauseSpec(input: PauseSpecInput, { cgroups, pauseProgram, security }: Pick<CriContext, 'cgroups' | 'pauseProgram' | 'security'>): RuntimeSpec {
  const { podId, config, namespaces, mappings, hostname, sysctls } = input;
  return {
    ociVersion: '1.3.0',
    process: {
      user: { uid: 0, gid: 0 },
      args: [program, 'pause'],
      env: [],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [] },
      noNewPrivileges: true,
      oomScoreAdj: Math.max(oomScoreAdj, security.lowestOomScoreAdj),
    },
    root: { path: 'rootfs', readonly: true },
    ...(hostname === undefined ? {} : { hostname }),
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
      { destination: program, type: 'bind', source: pauseProgram, options: ['bind', 'ro', 'nosuid', 'nodev'] },
    ],
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
