import { KeyedLock, StrakeError } from '../../base/index.ts';
import { deleteLink, routeOperation } from '../../kernel/netlink/index.ts';
import type { Op } from '../../kernel/program/index.ts';
import { podPools } from '../address-pools.ts';
import { BridgeNetworks } from '../bridge-networks.ts';
import { type HostLinks, hostLinks } from '../host-links.ts';
import type { NetworkStore } from '../network-store.ts';
import type { EndpointFacts } from '../networks.ts';
import { HostPorts } from '../ports/host-ports.ts';
import type { PodAddresses, PodNetwork, PodNetworkStatus, PodToConnect } from './pod-network.ts';

export interface BridgePodNetworkOptions {
  readonly store: NetworkStore;
  /** Below the run directory: the ports of the machine that pods have. */
  readonly hostPortDirectory: string;
  readonly runProgram: (operations: readonly Op[]) => Promise<unknown>;
  /** `strake-pods` when absent */
  readonly bridge?: string | undefined;
  /** CIDR, for a network that is not kept yet; the first of the pods' pools that the machine has no route to when absent */
  readonly subnet?: string | undefined;
  readonly links?: HostLinks | undefined;
  readonly onWarning: (message: string, error: unknown) => void;
}

const network = 'bridge';
const defaultBridge = 'strake-pods';

/**
 * The pod network that needs no plugins: a bridge, an IPv4 address each, a way out under the machine's address, ports of the machine. As Kubernetes
 * wants it, pods reach each other and the machine, and are reached from it, under their own addresses.
 */
export class BridgePodNetwork implements PodNetwork {
  private readonly networks: BridgeNetworks;
  private readonly hostPorts: HostPorts;
  private readonly options: BridgePodNetworkOptions;
  private readonly links: HostLinks;
  private readonly bridge: string;
  private readonly locks = new KeyedLock();

  constructor(options: BridgePodNetworkOptions) {
    const { store, bridge = defaultBridge, links = hostLinks, runProgram, onWarning } = options;
    this.options = options;
    this.links = links;
    this.bridge = bridge;
    this.networks = new BridgeNetworks({ store, bridge, links, subnet: options.subnet, pools: podPools, shielded: false, runProgram, onWarning });
    this.hostPorts = new HostPorts({ directory: options.hostPortDirectory, table: `${bridge}-ports`, holders: 'pod', runProgram });
  }

  async start(): Promise<void> {
    await this.networks.start();
    await this.hostPorts.start();
  }

  /** Whether the pod has an address here. */
  has(podId: string): boolean {
    return this.networks.endpointOf(podId) !== undefined;
  }

  async add(pod: PodToConnect, signal?: AbortSignal): Promise<PodAddresses> {
    using _lock = await this.locks.take(pod.id, signal);
    if (this.has(pod.id)) throw new StrakeError('AlreadyExists', `pod ${pod.id} has a network already`, { fields: { layer: 'network' } });
    try {
      const { hostOperations, settings } = await this.networks.connect({ containerId: pod.id, network, hasPorts: true, netns: pod.netns });
      await this.options.runProgram(hostOperations);
      const { subnet } = this.networks.get(network);
      await this.hostPorts.open({ holder: pod.id, address: settings.IPAddress, bridge: this.bridge, subnet, ports: pod.ports });
      signal?.throwIfAborted();
      return { addresses: [settings.IPAddress], details: this.resultOf(settings, pod.netns) };
    } catch (error) {
      await this.takeBack(pod.id).catch((failure: unknown) => this.options.onWarning(`what pod ${pod.id} had of the network is left to a deletion`, failure));
      throw error;
    }
  }

  async delete(podId: string, signal?: AbortSignal): Promise<void> {
    using _lock = await this.locks.take(podId, signal);
    await this.release(podId);
  }

  async check(podId: string, signal?: AbortSignal): Promise<void> {
    using _lock = await this.locks.take(podId, signal);
    const endpoint = this.networks.endpointOf(podId);
    if (endpoint === undefined) throw new StrakeError('NotFound', `pod ${podId} has no network`, { fields: { layer: 'network' } });
    for (const link of [this.bridge, endpoint.link])
      if (this.links.indexOf(link) === undefined)
        throw new StrakeError('FailedPrecondition', `link ${link} of pod ${podId} is gone`, { fields: { layer: 'network', remedy: 'make the pod anew' } });
  }

  async status(): Promise<PodNetworkStatus> {
    const { subnet, gateway } = this.networks.get(network);
    return { ready: true, message: `bridge ${this.bridge}, ${subnet}`, details: { type: 'bridge', bridge: this.bridge, subnet, gateway } };
  }

  async gc(podIds: ReadonlySet<string>): Promise<void> {
    for (const { holder } of this.hostPorts.list()) if (!podIds.has(holder)) await this.hostPorts.close(holder);
    await this.networks.retain(podIds);
  }

  async close(): Promise<void> {}

  /** Of a pod that lives on: its link does not go with its namespace. */
  private async takeBack(podId: string): Promise<void> {
    const link = this.networks.endpointOf(podId)?.link;
    await this.release(podId);
    if (link !== undefined) await this.options.runProgram([routeOperation([deleteLink(link)], { ignoreMissing: true })]);
  }

  private async release(podId: string): Promise<void> {
    await this.hostPorts.close(podId);
    await this.networks.disconnect(podId);
  }

  /** As the plugins `bridge` and `host-local` would tell it: CNI's SPEC.md, "ADD Success". */
  private resultOf(settings: EndpointFacts, netns: string) {
    return {
      cniVersion: '1.1.0',
      interfaces: [{ name: this.bridge }, { name: 'eth0', mac: settings.MacAddress, sandbox: netns }],
      ips: [{ interface: 1, address: `${settings.IPAddress}/${settings.IPPrefixLen}`, gateway: settings.Gateway }],
      routes: [{ dst: '0.0.0.0/0' }],
      dns: {},
    };
  }
}
