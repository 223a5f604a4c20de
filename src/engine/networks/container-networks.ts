/** Puts containers into networks: Docker's request in, operations of a launch and Docker's endpoint settings out. */
import type { EndpointSettings } from '../../api/docker/index.ts';
import { StrakeError, shortId } from '../../base/index.ts';
import type { Connection, NetworkManager } from '../../network/index.ts';
import type { ConnectedNetwork, ContainerNetworks, NetworkRequest } from '../containers/context.ts';
import type { EndpointRequest } from '../containers/document.ts';

const defaultNetwork = 'bridge';

export function createContainerNetworks(manager: Pick<NetworkManager, 'get' | 'connect' | 'disconnect'>): ContainerNetworks {
  return {
    async connect(request) {
      refusePorts(request);
      const connections = new Map<string, Connection>();
      try {
        for (const [interfaceIndex, text] of networkNames(request.networkMode, request.endpoints).entries()) {
          const { name } = manager.get(text);
          const wanted = request.endpoints[text] ?? {};
          const addresses = { ipv4Address: wanted.IPAMConfig?.IPv4Address || undefined, macAddress: wanted.MacAddress || undefined };
          connections.set(name, await manager.connect({ containerId: request.containerId, network: name, interfaceIndex, ...addresses }));
        }
      } catch (error) {
        await manager.disconnect(request.containerId);
        throw error;
      }
      return describeConnections(request, connections);
    },
    async disconnect(containerId) {
      await manager.disconnect(containerId);
    },
  };
}

/** The network of the mode first: its interface has the default route. */
function networkNames(networkMode: string, endpoints: Readonly<Record<string, EndpointRequest>>): readonly string[] {
  const first = networkMode === 'default' || networkMode === '' ? defaultNetwork : networkMode;
  const others = Object.keys(endpoints).map((name) => (name === 'default' ? defaultNetwork : name));
  return [...new Set([first, ...others])];
}

/** Said rather than ignored: a service that nobody can reach is worse than an error. */
function refusePorts({ portBindings, publishAllPorts }: NetworkRequest): void {
  const published = Object.entries(portBindings).filter(([, bindings]) => bindings.length > 0);
  if (published.length > 0 || publishAllPorts)
    throw new StrakeError('Unimplemented', 'publishing ports is not available: reach the container at its own address', { fields: { layer: 'engine' } });
}

function describeConnections(request: NetworkRequest, connections: ReadonlyMap<string, Connection>): ConnectedNetwork {
  const all = [...connections.values()];
  return {
    task: {
      hostOperations: all.flatMap(({ hostOperations }) => hostOperations),
      initOperations: all.flatMap(({ initOperations }) => initOperations),
      cleanupOperations: all.flatMap(({ cleanupOperations }) => cleanupOperations),
    },
    state: {
      endpoints: Object.fromEntries([...connections].map(([name, connection]) => [name, endpointSettings(name, connection, request)])),
      ports: Object.fromEntries(request.exposedPorts.map((port) => [port, null])),
    },
    addresses: all.map(({ settings }) => settings.IPAddress),
    gateway: all[0]?.hostGateway ?? '',
  };
}

function endpointSettings(network: string, { settings }: Connection, request: NetworkRequest): EndpointSettings {
  const wanted = request.endpoints[network] ?? {};
  const aliases = wanted.Aliases ?? [];
  const names = [request.name, ...aliases, shortId(request.containerId), ...(request.hostname === '' ? [] : [request.hostname])];
  return {
    IPAMConfig: wanted.IPAMConfig ?? null,
    Links: wanted.Links ?? null,
    Aliases: aliases.length === 0 ? null : aliases,
    DriverOpts: wanted.DriverOpts ?? null,
    GwPriority: wanted.GwPriority ?? 0,
    ...settings,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: network === defaultNetwork ? null : [...new Set(names)],
  };
}
