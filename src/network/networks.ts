import type { Op } from '../kernel/program/index.ts';
import type { PortMapping, PortRequest } from './ports/port-mapping.ts';

/** A network with a bridge and addresses: the default one, `bridge`, and those that users make. */
export interface ManagedNetwork {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  /** CIDR */
  readonly subnet: string;
  readonly ipRange: string | undefined;
  readonly gateway: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NewManagedNetwork {
  readonly name: string;
  /** a free one is chosen when absent */
  readonly subnet: string | undefined;
  readonly ipRange: string | undefined;
  readonly gateway: string | undefined;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a container is given in one network, under the names that Docker's inspect has for it. */
export interface EndpointFacts {
  readonly NetworkID: string;
  readonly EndpointID: string;
  /** empty on an internal network */
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly MacAddress: string;
}

export interface Connection {
  /** after the init exists, if it is its namespace */
  readonly hostOperations: readonly Op[];
  /** in the container's network namespace, by its init */
  readonly initOperations: readonly Op[];
  /** after the container's end */
  readonly cleanupOperations: readonly Op[];
  readonly settings: EndpointFacts;
  /** where `host-gateway` points, also on an internal network */
  readonly hostGateway: string;
}

export interface ConnectRequest {
  readonly containerId: string;
  /** a network's id or name */
  readonly network: string;
  /** 0: eth0, which has the default route; 1: eth1, … */
  readonly interfaceIndex?: number | undefined;
  readonly ipv4Address?: string | undefined;
  readonly macAddress?: string | undefined;
  /** Whether it will have ports of the machine: then it reaches itself by them. */
  readonly hasPorts?: boolean | undefined;
  /** A path that leads to the network namespace, for one that no init of the program has: then the host operations do all, in a program of their own. */
  readonly netns?: string | undefined;
}

/**
 * Bridge networks. `none` and `host` have nothing to manage: a container is in one by the namespace that its configuration asks for, or does not.
 *
 * Nothing is made on the host before the first container is connected: then the bridge, the rules of the own nftables table, and, as a machine-wide
 * setting that stays, net.ipv4.ip_forward=1.
 */
export interface NetworkManager {
  /** Loads what was kept; puts back the bridges and rules that containers still use. */
  start(): Promise<void>;
  list(): readonly ManagedNetwork[];
  /** By id or name. NotFound `network x not found`. */
  get(network: string): ManagedNetwork;
  /** AlreadyExists for a taken name, InvalidArgument for addresses that do not fit, FailedPrecondition for a subnet that overlaps another network. */
  create(network: NewManagedNetwork): Promise<ManagedNetwork>;
  /** Removes its bridge and rules. FailedPrecondition while a container is in it, PermissionDenied for the default one. */
  remove(network: string): Promise<void>;
  /** Gives an address, which stays given until `disconnect`; the operations do the rest in the launch. A second call for the same gives the same. */
  connect(request: ConnectRequest): Promise<Connection>;
  /**
   * Opens ports of the machine to a container that is connected, at its address in this network: from now on, until it is disconnected. Answers them in
   * the order of the requests; an internal network has none. ResourceExhausted for a port that is taken: then none is open.
   */
  publish(containerId: string, network: string, requests: readonly PortRequest[]): Promise<readonly PortMapping[]>;
  /** Gives a container's addresses and ports back, in one network or in all. Idempotent. */
  disconnect(containerId: string, network?: string): Promise<void>;
  /** Gives back the addresses and ports of containers that are not among these. */
  retain(containerIds: ReadonlySet<string>): Promise<void>;
  /** Puts bridges and rules back when something removed them, such as `nft flush ruleset`. */
  verify(): Promise<void>;
  /** Removes every bridge and the rules; what is kept in the store stays. */
  shutdown(): Promise<void>;
}
