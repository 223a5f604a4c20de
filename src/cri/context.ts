import type { Logger } from '../base/index.ts';
import type { AccountReader, Comparer, HostMounts, NamespacedCore, NamespaceKeeper, OpenFileTree } from '../core/index.ts';
import type { TaskManager } from '../core/tasks/index.ts';
import type { PodNetwork } from '../network/index.ts';
import type { LinuxSeccomp } from '../oci/index.ts';
import type { ContainerEvents } from './container-events.ts';
import type { HandlerFeatures } from './handler-features.ts';
import type { RuntimeHandlers } from './handlers.ts';
import type { Images } from './images/index.ts';
import type { CriPaths } from './paths.ts';
import type { PodRegistry } from './registry.ts';

/** The runtime layer's defaults (docs/RELIABILITY.md, "Secure by default"). */
export interface PodSecurity {
  /** The default profile for a process with these capabilities. */
  seccomp(capabilities: readonly string[]): LinuxSeccomp;
  /** A profile in Docker's or the runtime specification's JSON; InvalidArgument when it is none. */
  parseSeccomp(json: string, capabilities: readonly string[]): LinuxSeccomp;
  /** The bounding set of the machine: what it can give to a privileged container. */
  readonly availableCapabilities: readonly string[];
  /** Below this the machine lets no process's oom_score_adj go. */
  readonly lowestOomScoreAdj: number;
}

/** What every call works with. */
export interface CriContext {
  readonly core: Pick<NamespacedCore, 'containers' | 'sandboxes' | 'snapshots' | 'leaseStore' | 'withLease'>;
  readonly tasks: TaskManager;
  readonly namespaces: NamespaceKeeper;
  readonly network: PodNetwork;
  readonly images: Pick<Images, 'get'>;
  readonly accounts: AccountReader;
  readonly hostMounts: HostMounts;
  readonly openFileTree: OpenFileTree;
  readonly comparer: Comparer;
  readonly handlers: RuntimeHandlers;
  readonly handlerFeatures: HandlerFeatures;
  readonly security: PodSecurity;
  readonly cgroups: { readonly version: 1 | 2; readonly driver: 'cgroupfs' | 'systemd' };
  readonly paths: CriPaths;
  readonly registry: PodRegistry;
  readonly events: ContainerEvents;
  /** A program that waits for its end, which is what a pause process is. */
  readonly pauseProgram: string;
  readonly version: string;
  readonly log: Logger;
}
