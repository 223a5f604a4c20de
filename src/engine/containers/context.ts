import type { Volume } from '../../api/docker/index.ts';
import type { Logger } from '../../base/index.ts';
import type { AccountReader, Comparer, ContainerStore, HostMounts, Snapshotter } from '../../core/index.ts';
import type { RootFiles, TaskManager, TaskNetwork } from '../../core/tasks/index.ts';
import type { ImageConfig } from '../../oci/index.ts';
import type { EngineEvents } from '../events/index.ts';
import type { EndpointRequest, NetworkState } from './document.ts';
import type { ContainerRegistry } from './registry.ts';
import type { Runtimes } from './runtimes.ts';
import type { SecurityDefaults } from './spec/index.ts';

/** What containers need of the images. */
export interface ContainerImages {
  /** NotFound `No such image: …` */
  forContainer(reference: string): Promise<ContainerImage>;
}

export interface ContainerImage {
  /** `sha256:…` of the configuration. */
  readonly id: string;
  readonly config: ImageConfig;
  /** The committed snapshot of all its layers; undefined for an image without layers. */
  readonly snapshot: string | undefined;
  /** Bytes of its unpacked layers. */
  readonly sizeBytes: number;
}

/** What containers need of the networks. */
export interface ContainerNetworks {
  /** Gives addresses; the operations bring the interfaces up in the launch. NotFound `network x not found`. */
  connect(request: NetworkRequest): Promise<ConnectedNetwork>;
  /** Gives the addresses back; idempotent. */
  disconnect(containerId: string): Promise<void>;
  /** After a restart of the daemon: these addresses are in use. */
  adopt?(containerId: string, state: NetworkState): void | Promise<void>;
}

export interface NetworkRequest {
  readonly containerId: string;
  readonly name: string;
  readonly hostname: string;
  /** `default`, `bridge`, or a network's name; never `none`, `host` or `container:…`. */
  readonly networkMode: string;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  readonly portBindings: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
  readonly exposedPorts: readonly string[];
  readonly publishAllPorts: boolean;
}

export interface ConnectedNetwork {
  readonly task: TaskNetwork;
  readonly state: NetworkState;
  /** Addresses that the container's own names stand for in its /etc/hosts. */
  readonly addresses: readonly string[];
  /** Where `host-gateway` points. */
  readonly gateway: string;
}

export interface ContainerVolumes {
  create(volume: { readonly name?: string; readonly driver?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<Volume>;
  mountpoint(name: string): string;
  acquire(name: string, containerId: string): void;
  release(name: string, containerId: string): void;
  usersOf(name: string): readonly string[];
  isAnonymous(name: string): boolean;
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>;
}

/** What every verb works with. */
export interface ContainerContext {
  readonly registry: ContainerRegistry;
  readonly store: ContainerStore;
  readonly snapshots: Snapshotter;
  readonly comparer: Comparer;
  readonly tasks: TaskManager;
  readonly runtimes: Runtimes;
  readonly rootFiles: RootFiles;
  readonly accounts: AccountReader;
  readonly images: ContainerImages;
  readonly networks: ContainerNetworks;
  readonly volumes: ContainerVolumes;
  readonly events: Pick<EngineEvents, 'publish'>;
  readonly hostMounts: HostMounts;
  readonly security: SecurityDefaults;
  /** `<data-root>/containers` */
  readonly directory: string;
  /** Below the run directory: images that containers mount. */
  readonly imageMountDirectory: string;
  /** Below the cgroup root: `/strake`. */
  readonly cgroupParent: string;
  readonly cgroupVersion: '1' | '2';
  readonly availableCapabilities: readonly string[];
  readonly log: Logger;
}
