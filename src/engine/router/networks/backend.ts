import type { NetworkInspect } from '../../../api/docker/index.ts';

export interface NewNetwork {
  readonly name: string;
  /** Empty: `bridge`. */
  readonly driver: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv6: boolean;
  readonly subnet: string | undefined;
  readonly ipRange: string | undefined;
  readonly gateway: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EndpointRequest {
  readonly ipv4Address: string | undefined;
  readonly aliases: readonly string[];
  readonly macAddress: string | undefined;
}

/** What the network routes need. A network is named by name, id or the unique beginning of an id. */
export interface NetworksBackend {
  list(): Promise<readonly NetworkInspect[]>;
  get(network: string): Promise<NetworkInspect>;
  create(network: NewNetwork): Promise<{ readonly id: string }>;
  remove(network: string): Promise<void>;
  connect(network: string, container: string, endpoint: EndpointRequest): Promise<void>;
  disconnect(network: string, container: string, options: { readonly force: boolean }): Promise<void>;
}
