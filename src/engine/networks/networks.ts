/** Docker's view of the networks: those of the network layer, and `host` and `none`, which are a container's choice to have none of its own. */
import { createHash } from 'node:crypto';
import type { EndpointResource, EndpointSettings, NetworkInspect } from '../../api/docker/index.ts';
import { StrakeError } from '../../base/index.ts';
import type { ManagedNetwork, NetworkManager, NewManagedNetwork } from '../../network/index.ts';
import type { EngineEvents } from '../events/index.ts';

/** A running container's place in a network. */
export interface NetworkMember {
  /** The network's name. */
  readonly network: string;
  readonly containerId: string;
  readonly containerName: string;
  readonly endpoint: EndpointSettings;
}

export interface NetworksOptions {
  readonly manager: Pick<NetworkManager, 'list' | 'create' | 'remove'>;
  /** Of all networks. */
  readonly members: () => Promise<readonly NetworkMember[]>;
  readonly events: Pick<EngineEvents, 'publish'>;
  readonly engineId: string;
  readonly startedAt: Date;
}

export interface NetworkCreation extends NewManagedNetwork {
  /** Empty: `bridge`. */
  readonly driver: string;
  readonly enableIPv6: boolean;
}

export class Networks {
  private readonly options: NetworksOptions;
  /** `host` and `none`. */
  private readonly deviceless: readonly { readonly name: string; readonly driver: string; readonly id: string }[];

  constructor(options: NetworksOptions) {
    this.options = options;
    const id = (name: string) => createHash('sha256').update(`${options.engineId}/${name}`).digest('hex');
    this.deviceless = [
      { name: 'host', driver: 'host', id: id('host') },
      { name: 'none', driver: 'null', id: id('none') },
    ];
  }

  async list(): Promise<readonly NetworkInspect[]> {
    const members = await this.options.members();
    const managed = this.options.manager.list().map((network) => describe(network, members));
    const deviceless = this.deviceless.map(({ name, driver, id }) => ({
      ...blank,
      Name: name,
      Id: id,
      Created: this.options.startedAt.toISOString(),
      Driver: driver,
      Containers: containersOf(name, members),
    }));
    return [...managed, ...deviceless].toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
  }

  /** By id, name, or the unique beginning of an id. */
  async get(text: string): Promise<NetworkInspect> {
    const all = await this.list();
    const exact = all.find(({ Id }) => Id === text) ?? all.find(({ Name }) => Name === text);
    if (exact !== undefined) return exact;
    const matches = text === '' ? [] : all.filter(({ Id }) => Id.startsWith(text));
    if (matches.length > 1) throw new StrakeError('InvalidArgument', `network ${text} is ambiguous (${matches.length} matches found on ID prefix)`);
    const [match] = matches;
    if (match === undefined) throw new StrakeError('NotFound', `network ${text} not found`);
    return match;
  }

  async create({ driver, enableIPv6, ...network }: NetworkCreation): Promise<{ readonly id: string }> {
    if (!['', 'default', 'bridge'].includes(driver))
      throw new StrakeError('NotFound', `could not find plugin ${driver} in v1 plugin registry: plugin not found`);
    if (enableIPv6) throw new StrakeError('InvalidArgument', 'IPv6 networks are not available');
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/.test(network.name))
      throw new StrakeError('InvalidArgument', `invalid network name ${JSON.stringify(network.name)}: only [a-zA-Z0-9][a-zA-Z0-9_.-]* is allowed`);
    if (isReserved(network.name)) throw new StrakeError('PermissionDenied', `operation is not permitted on predefined ${network.name} network`);
    if ((await this.list()).some(({ Name }) => Name === network.name))
      throw new StrakeError('AlreadyExists', `network with name ${network.name} already exists`);
    const { id } = await this.options.manager.create(network);
    this.publish('create', id, network.name);
    return { id };
  }

  async remove(text: string): Promise<void> {
    const { Id: id, Name: name, Containers: containers } = await this.get(text);
    if (isReserved(name)) throw new StrakeError('PermissionDenied', `${name} is a pre-defined network and cannot be removed`);
    const members = Object.values(containers).map((member) => `name:${JSON.stringify(member.Name)} id:${JSON.stringify(member.EndpointID.slice(0, 12))}`);
    if (members.length > 0)
      throw new StrakeError('PermissionDenied', `error while removing network: network ${name} has active endpoints (${members.join(', ')})`);
    await this.options.manager.remove(id);
    this.publish('destroy', id, name);
  }

  private publish(action: 'create' | 'destroy', id: string, name: string): void {
    this.options.events.publish({ type: 'network', action, id, attributes: { name, type: 'bridge' } });
  }
}

function describe(network: ManagedNetwork, members: readonly NetworkMember[]): NetworkInspect {
  const config = { Subnet: network.subnet, ...(network.ipRange === undefined ? {} : { IPRange: network.ipRange }), Gateway: network.gateway };
  return {
    ...blank,
    Name: network.name,
    Id: network.id,
    Created: network.createdAt.toISOString(),
    Driver: 'bridge',
    IPAM: { Driver: 'default', Options: null, Config: [config] },
    Internal: network.internal,
    Attachable: network.attachable,
    Containers: containersOf(network.name, members),
    Options: network.options,
    Labels: network.labels,
  };
}

function containersOf(network: string, members: readonly NetworkMember[]): Readonly<Record<string, EndpointResource>> {
  return Object.fromEntries(
    members
      .filter((member) => member.network === network)
      .map(({ containerId, containerName, endpoint }) => [
        containerId,
        {
          Name: containerName,
          EndpointID: endpoint.EndpointID,
          MacAddress: endpoint.MacAddress,
          IPv4Address: endpoint.IPAddress === '' ? '' : `${endpoint.IPAddress}/${endpoint.IPPrefixLen}`,
          IPv6Address: endpoint.GlobalIPv6Address === '' ? '' : `${endpoint.GlobalIPv6Address}/${endpoint.GlobalIPv6PrefixLen}`,
        },
      ]),
  );
}

const isReserved = (name: string): boolean => ['bridge', 'host', 'none', 'default'].includes(name);

/** In the order in which Docker writes them, which people read. */
const blank = {
  Name: '',
  Id: '',
  Created: '',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: null },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
} as const;
