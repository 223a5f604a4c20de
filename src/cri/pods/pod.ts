import type { criPod } from '../../api/cri/index.ts';
import { Mutex } from '../../base/index.ts';
import type { KeptNamespaces } from '../../core/index.ts';
import { refused } from '../refusals.ts';
import type { ResourcesOfPod } from './pod-record.ts';

/** Paths that containers join or bind; absent: the machine's. */
export interface PodNamespaces extends KeptNamespaces {
  /** A directory for /dev/shm. */
  readonly sharedMemory: string;
}

export type PodState =
  | { readonly status: 'ready'; readonly namespaces: PodNamespaces }
  /** Nothing starts in it any more; what it has is on its way back, or could not be given back yet. */
  | { readonly status: 'stopping' }
  /** Its network and namespaces are given back, or lost. */
  | { readonly status: 'stopped' };

export interface PodFacts {
  readonly id: string;
  readonly config: criPod.PodSandboxConfig;
  readonly handler: string;
  /** ns since the epoch */
  readonly createdAt: bigint;
  /** The first is the pod's; none: it is in the machine's network. */
  readonly addresses: readonly string[];
  /** What the network says of itself, for a person to read. */
  readonly networkDetails: unknown;
}

/** A pod sandbox. Whoever changes it holds its mutex. */
export class Pod {
  readonly facts: PodFacts;
  readonly name: string;
  readonly mutex = new Mutex();
  state: PodState;
  /** As UpdatePodSandboxResources said it last. */
  resources: ResourcesOfPod = {};

  constructor(facts: PodFacts, state: PodState) {
    this.facts = facts;
    this.name = podName(facts.config);
    this.state = state;
  }

  get id(): string {
    return this.facts.id;
  }

  get config(): criPod.PodSandboxConfig {
    return this.facts.config;
  }

  /** What its containers join. FailedPrecondition unless it is ready. */
  readyNamespaces(): PodNamespaces {
    if (this.state.status !== 'ready') throw refused('FailedPrecondition', `sandbox container ${JSON.stringify(this.id)} is not running`, { sandbox: this.id });
    return this.state.namespaces;
  }
}

/** Of one try of one pod. */
export function podName({ metadata }: criPod.PodSandboxConfig): string {
  return [metadata?.name, metadata?.namespace, metadata?.uid, metadata?.attempt].join('_');
}
