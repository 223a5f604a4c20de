import { Mutex, randomId, StrakeError } from '../base/index.ts';
import {
  addAddress,
  createBridge,
  deleteLink,
  formatIpv4,
  type Ipv4Prefix,
  interfaceName,
  ipv4Network,
  macBytes,
  netfilterOperation,
  parseIpv4,
  parseIpv4Prefix,
  removeTable,
  routeOperation,
} from '../kernel/netlink/index.ts';
import type { Op } from '../kernel/program/index.ts';
import { chooseAddress, choosePool, contains, isHostAddress, macOf, overlaps } from './address-pools.ts';
import { firewallTable } from './firewall.ts';
import { defaultMtu, type HostLinks, hostLinks } from './host-links.ts';
import { type LinkPlan, linkToInit, linkToNamespace } from './link-operations.ts';
import type { NetworkStore, StoredEndpoint, StoredNetwork } from './network-store.ts';
import type { Connection, ConnectRequest, ManagedNetwork, NetworkManager, NewManagedNetwork } from './networks.ts';
import type { PortMapping, PortRequest } from './ports/port-mapping.ts';
import { PublishedPorts } from './ports/published-ports.ts';

export interface BridgeNetworksOptions {
  readonly store: NetworkStore;
  /** Runs a program of host operations to its end. */
  readonly runProgram: (operations: readonly Op[]) => Promise<unknown>;
  /** Below the run directory: the ports of the machine that members have. Without it none can have any. */
  readonly hostPortDirectory?: string | undefined;
  /** The interface of the default network; `strake0` when absent. */
  readonly bridge?: string | undefined;
  /** The default network's; a free one is chosen when absent. */
  readonly subnet?: string | undefined;
  /** Whence a network without a subnet gets one; Docker's when absent. */
  readonly pools?: readonly Ipv4Prefix[] | undefined;
  /** The MTU of bridges and links; that of the default route when absent. */
  readonly mtu?: number | undefined;
  /** Whether members are shielded from what comes from outside of their network, as Docker's are; true when absent. Pods are not: Kubernetes wants them reachable. */
  readonly shielded?: boolean | undefined;
  readonly links?: HostLinks | undefined;
  readonly onWarning?: ((message: string, error: unknown) => void) | undefined;
}

/** By then a namespace that nobody uses is long gone. */
const sweepDelayMs = 5_000;

const defaultNetwork = 'bridge';
const defaultBridge = 'strake0';
const firstInterfaceIndex = 2; // lo is 1 in a new network namespace

export class BridgeNetworks implements NetworkManager {
  private readonly options: BridgeNetworksOptions;
  private readonly links: HostLinks;
  private readonly bridge: string;
  /** One table a bridge name, so that two daemons do not replace each other's rules. */
  private readonly table: string;
  private readonly ports: PublishedPorts | undefined;
  private readonly networks = new Map<string, StoredNetwork>();
  private readonly endpoints = new Map<string, StoredEndpoint>();
  /** The MTU of every network whose bridge and rules this process has made. */
  private readonly ready = new Map<string, number>();
  /** Links of endpoints that were given back, with their addresses: the kernel removes them in its own time. */
  private readonly draining = new Map<string, string>();
  private sweep: NodeJS.Timeout | undefined;
  private readonly changes = new Mutex();

  constructor(options: BridgeNetworksOptions) {
    this.options = options;
    this.links = options.links ?? hostLinks;
    this.bridge = interfaceName(options.bridge ?? defaultBridge);
    this.table = this.bridge === defaultBridge ? 'strake' : `strake-${this.bridge}`;
    const { hostPortDirectory: directory, runProgram, onWarning = () => {} } = options;
    this.ports = directory === undefined ? undefined : new PublishedPorts({ directory, table: `${this.table}-ports`, runProgram, onWarning });
  }

  async start(): Promise<void> {
    const state = this.options.store.load();
    for (const network of state.networks) this.networks.set(network.id, network);
    for (const endpoint of state.endpoints) this.endpoints.set(endpoint.id, endpoint);
    if (!this.find(defaultNetwork)) {
      const empty = { ipRange: undefined, gateway: undefined, internal: false, attachable: false, options: {}, labels: {} };
      this.add({ ...empty, name: defaultNetwork, subnet: this.options.subnet }, this.bridge);
    }
    await this.verify();
    await this.ports?.start();
  }

  list(): readonly ManagedNetwork[] {
    return [...this.networks.values()].map(managed);
  }

  get(network: string): ManagedNetwork {
    return managed(this.required(network));
  }

  create(network: NewManagedNetwork): Promise<ManagedNetwork> {
    return this.exclusive(async () => {
      if (this.find(network.name)) throw new StrakeError('AlreadyExists', `network with name ${network.name} already exists`, { fields: { layer: 'network' } });
      return managed(this.add(network));
    });
  }

  remove(text: string): Promise<void> {
    return this.exclusive(async () => {
      const network = this.required(text);
      if (network.name === defaultNetwork)
        throw new StrakeError('PermissionDenied', `${network.name} is a pre-defined network and cannot be removed`, { fields: { layer: 'network' } });
      if (this.members(network.id).length > 0)
        throw new StrakeError('FailedPrecondition', `network ${network.name} has active endpoints`, { fields: { layer: 'network' } });
      this.networks.delete(network.id);
      this.saveNetworks();
      if (!this.ready.delete(network.id) && this.links.indexOf(network.bridge) === undefined) return;
      await this.options.runProgram([netfilterOperation(this.rules()), routeOperation([deleteLink(network.bridge)], { ignoreMissing: true })]);
    });
  }

  connect(request: ConnectRequest): Promise<Connection> {
    return this.exclusive(async () => {
      const network = this.required(request.network);
      const master = await this.ensureReady(network);
      const endpoint = this.members(network.id).find(({ containerId }) => containerId === request.containerId) ?? this.addEndpoint(network, request);
      return this.connection(network, endpoint, master, request);
    });
  }

  publish(containerId: string, text: string, requests: readonly PortRequest[]): Promise<readonly PortMapping[]> {
    return this.exclusive(async () => {
      const { ports } = this;
      const { id, name, bridge, subnet, internal, options } = this.required(text);
      const endpoint = this.members(id).find((member) => member.containerId === containerId);
      if (ports === undefined || endpoint === undefined)
        throw new StrakeError('FailedPrecondition', `container ${containerId} cannot have ports in network ${name}`, { fields: { layer: 'network' } });
      if (internal || requests.length === 0) return [];
      const usual = options['com.docker.network.bridge.host_binding_ipv4'] ?? '';
      const wanted = requests.map((request) => (request.hostIp === '' ? { ...request, hostIp: usual } : request));
      return await ports.open({ holder: containerId, address: endpoint.address, bridge, subnet }, wanted);
    });
  }

  disconnect(containerId: string, text?: string): Promise<void> {
    return this.exclusive(async () => {
      const network = text === undefined ? undefined : this.find(text);
      if (text !== undefined && network === undefined) return;
      if (network === undefined || this.ports?.bridgeOf(containerId) === network.bridge) await this.ports?.close(containerId);
      this.release((endpoint) => endpoint.containerId === containerId && (network === undefined || endpoint.networkId === network.id));
    });
  }

  retain(containerIds: ReadonlySet<string>): Promise<void> {
    return this.exclusive(async () => {
      for (const holder of this.ports?.holders() ?? []) if (!containerIds.has(holder)) await this.ports?.close(holder);
      this.release(({ containerId }) => !containerIds.has(containerId));
    });
  }

  /** What a container was given; undefined for one that is in no network. */
  endpointOf(containerId: string): StoredEndpoint | undefined {
    return [...this.endpoints.values()].find((endpoint) => endpoint.containerId === containerId);
  }

  verify(): Promise<void> {
    return this.exclusive(async () => {
      const used = [...this.networks.values()].filter(({ id }) => this.ready.has(id) || this.members(id).length > 0);
      for (const { id } of used) this.ready.delete(id);
      for (const network of used) await this.ensureReady(network);
      await this.ports?.restore();
    });
  }

  shutdown(): Promise<void> {
    return this.exclusive(async () => {
      clearTimeout(this.sweep);
      const bridges = [...this.networks.values()].map(({ bridge }) => bridge).filter((bridge) => this.links.indexOf(bridge) !== undefined);
      if (this.ready.size === 0 && bridges.length === 0) return;
      this.ready.clear();
      await this.options.runProgram([
        netfilterOperation(removeTable(this.table)),
        ...bridges.map((bridge) => routeOperation([deleteLink(bridge)], { ignoreMissing: true })),
      ]);
    });
  }

  /** The bridge is up with its address, and the rules are there. Returns the bridge's interface index. */
  private async ensureReady(network: StoredNetwork): Promise<number> {
    const before = this.links.indexOf(network.bridge);
    if (before !== undefined && this.ready.has(network.id)) return before;
    const gateway: Ipv4Prefix = { address: parseIpv4(network.gateway), length: parseIpv4Prefix(network.subnet).length };
    const mtu = this.options.mtu ?? defaultMtu(this.links);
    this.ready.set(network.id, mtu);
    try {
      await this.options.runProgram([
        { op: 'write_file', side: 'host', path: '/proc/sys/net/ipv4/ip_forward', data: Buffer.from('1') },
        routeOperation([createBridge({ name: network.bridge, mtu, mac: macOf(gateway.address) })], { ignoreExisting: true }),
        netfilterOperation(this.rules()),
      ]);
      const index = this.links.indexOf(network.bridge);
      if (index === undefined)
        throw new StrakeError('Unavailable', `bridge ${network.bridge} is not there after it was made`, { fields: { layer: 'network' } });
      await this.options.runProgram([routeOperation([addAddress(index, gateway)], { ignoreExisting: true })]);
      return index;
    } catch (error) {
      this.ready.delete(network.id);
      throw error;
    }
  }

  private rules() {
    return firewallTable(
      this.table,
      [...this.networks.values()].filter(({ id }) => this.ready.has(id)),
      this.options.shielded ?? true,
    );
  }

  private add(request: NewManagedNetwork, bridge?: string): StoredNetwork {
    const id = randomId();
    const own = bridge ?? interfaceName(request.options['com.docker.network.bridge.name'] ?? `br-${id.slice(0, 12)}`);
    const others = [...this.networks.values()].map(({ name, subnet }) => ({ name, prefix: parseIpv4Prefix(subnet) }));
    const onHost = this.links.routes().filter(({ link }) => link !== own);
    const subnet =
      request.subnet === undefined
        ? choosePool(
            [...others, ...onHost].map(({ prefix }) => prefix),
            this.options.pools,
          )
        : parseIpv4Prefix(request.subnet);
    const refuse = (message: string) => new StrakeError('InvalidArgument', message, { fields: { layer: 'network' } });
    const text = `${formatIpv4(ipv4Network(subnet))}/${subnet.length}`;
    if (subnet.length < 8 || subnet.length > 30) throw refuse(`invalid subnet ${text}: its length is not in 8-30`);
    const clash = others.find(({ prefix }) => overlaps(prefix, subnet));
    if (clash)
      throw new StrakeError('FailedPrecondition', `invalid pool request: subnet ${text} overlaps with network ${clash.name}`, { fields: { layer: 'network' } });
    const range = request.ipRange === undefined ? undefined : parseIpv4Prefix(request.ipRange);
    if (range && (!contains(subnet, range.address) || range.length < subnet.length))
      throw refuse(`invalid address range ${request.ipRange}: it is not in subnet ${text}`);
    const gateway = request.gateway === undefined ? ipv4Network(subnet) + 1 : parseIpv4(request.gateway);
    if (!isHostAddress(subnet, gateway)) throw refuse(`invalid gateway ${formatIpv4(gateway)}: it is not an address of subnet ${text}`);
    const network = { ...request, id, bridge: own, createdAt: new Date().toISOString(), subnet: text, gateway: formatIpv4(gateway) };
    this.networks.set(id, network);
    this.saveNetworks();
    return network;
  }

  private addEndpoint(network: StoredNetwork, request: ConnectRequest): StoredEndpoint {
    const subnet = parseIpv4Prefix(network.subnet);
    const taken = new Set([parseIpv4(network.gateway), ...this.members(network.id).map(({ address }) => parseIpv4(address))]);
    for (const address of this.drainingAddresses()) taken.add(parseIpv4(address));
    const wanted = request.ipv4Address === undefined || request.ipv4Address === '' ? undefined : parseIpv4(request.ipv4Address);
    if (wanted !== undefined && !isHostAddress(subnet, wanted))
      throw new StrakeError(
        'InvalidArgument',
        `invalid address ${request.ipv4Address}: it does not belong to subnet ${network.subnet} of network ${network.name}`,
        { fields: { layer: 'network' } },
      );
    if (wanted !== undefined && taken.has(wanted))
      throw new StrakeError('FailedPrecondition', `address ${request.ipv4Address} is already in use`, { fields: { layer: 'network' } });
    const address = wanted ?? chooseAddress(subnet, network.ipRange === undefined ? subnet : parseIpv4Prefix(network.ipRange), taken);
    if (request.macAddress) macBytes(request.macAddress);
    const id = randomId();
    const endpoint = {
      id,
      networkId: network.id,
      containerId: request.containerId,
      address: formatIpv4(address),
      mac: request.macAddress || macOf(address),
      link: `veth${id.slice(0, 7)}`,
    };
    this.options.store.addEndpoint(endpoint);
    this.endpoints.set(id, endpoint);
    return endpoint;
  }

  private connection(
    network: StoredNetwork,
    endpoint: StoredEndpoint,
    master: number,
    { interfaceIndex = 0, hasPorts = false, netns }: ConnectRequest,
  ): Connection {
    const { length } = parseIpv4Prefix(network.subnet);
    const plan: LinkPlan = {
      link: endpoint.link,
      master,
      mtu: this.ready.get(network.id),
      name: `eth${interfaceIndex}`,
      index: firstInterfaceIndex + interfaceIndex,
      mac: endpoint.mac,
      address: { address: parseIpv4(endpoint.address), length },
      gateway: interfaceIndex === 0 && !network.internal ? parseIpv4(network.gateway) : undefined,
      hasIpv6: this.links.hasIpv6(),
      hasPorts,
    };
    return {
      ...(netns === undefined ? linkToInit(plan) : linkToNamespace(plan, netns)),
      // removing the link by hand waits for an RCU grace period (25-30 ms, with the lock that every other link change needs); it goes with its namespace
      cleanupOperations: [],
      settings: {
        NetworkID: network.id,
        EndpointID: endpoint.id,
        Gateway: network.internal ? '' : network.gateway,
        IPAddress: endpoint.address,
        IPPrefixLen: length,
        MacAddress: endpoint.mac,
      },
      hostGateway: network.gateway,
    };
  }

  private release(gone: (endpoint: StoredEndpoint) => boolean): void {
    const found = [...this.endpoints.values()].filter(gone);
    if (found.length === 0) return;
    for (const { id, link, address } of found) {
      this.options.store.removeEndpoint(id);
      this.endpoints.delete(id);
      this.draining.set(link, address);
    }
    this.sweep ??= setTimeout(() => this.sweepLinks(), sweepDelayMs).unref();
  }

  /** Links whose network namespace lives on, because another container shares it, are removed by hand. */
  private sweepLinks(): void {
    this.sweep = undefined;
    const left = [...this.draining.keys()].filter((link) => this.links.indexOf(link) !== undefined);
    this.draining.clear();
    if (left.length > 0)
      this.options
        .runProgram(left.map((link) => routeOperation([deleteLink(link)], { ignoreMissing: true })))
        .catch((error: unknown) => this.options.onWarning?.(`links ${left.join(', ')} are left`, error));
  }

  private drainingAddresses(): readonly string[] {
    for (const link of this.draining.keys()) if (this.links.indexOf(link) === undefined) this.draining.delete(link);
    return [...this.draining.values()];
  }

  private members(networkId: string): readonly StoredEndpoint[] {
    return [...this.endpoints.values()].filter((endpoint) => endpoint.networkId === networkId);
  }

  private find(text: string): StoredNetwork | undefined {
    return this.networks.get(text) ?? [...this.networks.values()].find(({ name }) => name === text);
  }

  private required(text: string): StoredNetwork {
    const network = this.find(text === 'default' ? defaultNetwork : text);
    if (!network) throw new StrakeError('NotFound', `network ${text} not found`, { fields: { layer: 'network' } });
    return network;
  }

  private saveNetworks(): void {
    this.options.store.saveNetworks([...this.networks.values()]);
  }

  /** One change at a time, in the order of the calls. */
  private exclusive<T>(action: () => Promise<T>): Promise<T> {
    return this.changes.run(action);
  }
}

function managed({ bridge, createdAt, options, ...network }: StoredNetwork): ManagedNetwork {
  return {
    ...network,
    createdAt: new Date(createdAt),
    options: network.name === defaultNetwork ? { 'com.docker.network.bridge.name': bridge, ...options } : options,
  };
}
