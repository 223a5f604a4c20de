import type { ContainerConfig, EndpointSettings, HostConfig, PortBinding } from '../../api/docker/index.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { PlannedMount } from './mount-plan.ts';

/** What a create request says of one network. */
export type EndpointRequest = Partial<EndpointSettings>;

/** What the network layer told of a running container; kept for inspect and for the daemon's next life. */
export interface NetworkState {
  readonly endpoints: Readonly<Record<string, EndpointSettings>>;
  readonly ports: Readonly<Record<string, readonly PortBinding[] | null>>;
}

/** A container as it is persisted: `extensions.docker` of its core record. */
export interface ContainerDocument {
  readonly name: string;
  /** RFC 3339 */
  readonly createdAt: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly path: string;
  readonly args: readonly string[];
  /** `sha256:…`: the image's configuration. */
  readonly imageId: string;
  /** The chain that its root filesystem began as. */
  readonly chainId: string;
  readonly endpointRequests: Readonly<Record<string, EndpointRequest>>;
  readonly mounts: readonly PlannedMount[];
  readonly lifecycle: Lifecycle;
  readonly network: NetworkState;
  readonly restartCount: number;
  /** Stopped by a person, so that a restart policy leaves it alone. */
  readonly manuallyStopped: boolean;
  readonly startedBefore: boolean;
}

export const documentKey = 'docker';
