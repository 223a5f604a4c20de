import type { Logger } from '../../base/index.ts';
import type { Cri } from '../cri.ts';
import type { Puller } from '../images/puller.ts';
import type { Node } from '../node.ts';
import type { EnvironmentSources } from '../pods/environment.ts';
import type { Objects } from '../pods/objects.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { UserNamespaces } from '../volumes/user-namespaces.ts';
import type { HostMounts } from '../volumes/volume.ts';
import type { Backoff } from './backoff.ts';
import type { Observer } from './observe.ts';

/** What the workers of all pods share. */
export interface WorkerKit {
  readonly cri: Cri;
  readonly observer: Observer;
  readonly node: Node;
  readonly volumes: PodVolumes;
  readonly mounts: HostMounts;
  readonly userNamespaces: UserNamespaces;
  readonly puller: Puller;
  readonly restarts: Backoff;
  readonly log: Logger;
  /** What manifests bring now. */
  readonly objects: () => Objects;
  /** Whether the runtime that a handler's name stands for can make mounts read-only with all below them. */
  readonly recursiveReadOnly: (handler: string) => boolean;
}

export function environmentSources({ node, objects }: WorkerKit, podIPs: readonly string[]): EnvironmentSources {
  return { objects: objects(), machine: node, place: { nodeName: node.name, hostIPs: node.hostIPs, podIPs } };
}
