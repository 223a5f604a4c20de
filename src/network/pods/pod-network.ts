import type { PortMapping } from '../ports/port-mapping.ts';

/** What a resolver is told; plugins that ask for it get it. */
export interface PodDns {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** A pod that is given a network. */
export interface PodToConnect {
  /** of the sandbox */
  readonly id: string;
  /** Kubernetes's name, namespace and uid of the pod */
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** A path that leads to its network namespace: a bind mount, or `/proc/PID/ns/net`. Its loopback is brought up by whoever made it. */
  readonly netns: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ports: readonly PortMapping[];
  readonly dns: PodDns | undefined;
  /** of the pod, as its cgroup driver writes it */
  readonly cgroupParent: string;
}

export interface PodAddresses {
  /** The first is the pod's; the others are of other families or interfaces. */
  readonly addresses: readonly [string, ...string[]];
  /** What stands behind it, for a person to read: a result as CNI 1.1 has it. */
  readonly details: unknown;
}

/** Whether pods can be given a network now. */
export interface PodNetworkStatus {
  readonly ready: boolean;
  /** why it is not, or what it is */
  readonly message: string;
  /** The configuration, for a person to read. */
  readonly details: unknown;
}

/**
 * What gives pods their network. A pod with the machine's own network is not its business.
 *
 * Calls for one pod are carried out one after the other, those for different ones beside each other.
 */
export interface PodNetwork {
  /** Loads what was kept, and puts back on the machine what it lost meanwhile. */
  start(): Promise<void>;
  /**
   * Gives the pod's namespace its interface `eth0`. What a failed or canceled one had made is taken away before it throws; where that fails too,
   * `delete` does it, and `gc`.
   *
   * Unavailable while there is no network to give (`status` says why), AlreadyExists for a pod that has one, FailedPrecondition for a port of the
   * machine that another pod has, ResourceExhausted without a free address.
   */
  add(pod: PodToConnect, signal?: AbortSignal): Promise<PodAddresses>;
  /** Gives back what the pod has. Idempotent, also for pods that it has never heard of and whose namespace is gone. To be repeated when it fails. */
  delete(podId: string, signal?: AbortSignal): Promise<void>;
  /** That a pod still has what it was given. NotFound for one that was given nothing, FailedPrecondition with what is missing. */
  check(podId: string, signal?: AbortSignal): Promise<void>;
  /** Never throws but for the signal. */
  status(signal?: AbortSignal): Promise<PodNetworkStatus>;
  /** Gives back what belongs to no pod of these. */
  gc(podIds: ReadonlySet<string>, signal?: AbortSignal): Promise<void>;
  /** Ends what it does besides the calls; pods keep what they have. */
  close(): Promise<void>;
}
