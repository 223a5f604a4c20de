import type { CgroupDriver } from './config/cgroup-parent.ts';
import type { ClusterDns } from './config/dns.ts';
import type { SecurityDefaults } from './config/security-context.ts';
import type { MachineSize } from './pods/fields.ts';

/** The machine as a kubelet sees it, and where the kubelet keeps what it makes. */
export interface Node extends MachineSize, SecurityDefaults {
  readonly name: string;
  /** What the container runtime calls itself. */
  readonly runtimeName: string;
  readonly hostIPs: readonly string[];
  /** What pods' volumes and files are below. */
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** The machine's resolv.conf, from which pods' are made. */
  readonly resolvConf: string;
  readonly clusterDns: ClusterDns;
  /** As the runtime says. */
  readonly cgroupDriver: CgroupDriver;
  /** What pods' cgroups are below. */
  readonly cgroupRoot: string;
}
