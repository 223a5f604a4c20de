/** Puts containers into networks: Docker's request in, operations of a launch and Docker's endpoint settings out. */
import type { EndpointSettings } from '../../api/docker/index.ts';
import { errorCode, errorMessage, StrakeError, shortId } from '../../base/index.ts';
import type { Connection, NetworkManager, PortMapping, PortRequest } from '../../network/index.ts';
import type { ConnectedNetwork, ContainerNetworks, NetworkRequest } from '../containers/context.ts';
import type { EndpointRequest } from '../containers/document.ts';
import { portRequests, portState } from './published-ports.ts';

const defaultNetwork = 'bridge';

export function createContainerNetworks(manager: Pick<NetworkManager, 'get' | 'connect' | 'publish' | 'disconnect'>): ContainerNetworks {
  return {
    async connect(request) {
      const connections = new Map<string, Connection>();
      const ports = portRequests(request);
      try {
        for (const [interfaceIndex, text] of networkNames(request.networkMode, request.endpoints).entries()) {
          const { name } = manager.get(text);
          const wanted = request.endpoints[text] ?? {};
          const addresses = { ipv4Address: wanted.IPAMConfig?.IPv4Address || undefined, macAddress: wanted.MacAddress || undefined };
          const hasPorts = interfaceIndex === 0 && ports.length > 0;
          connections.set(name, await manager.connect({ containerId: request.containerId, network: name, interfaceIndex, hasPorts, ...addresses }));
        }
        return describeConnections(request, connections, await publish(manager, request, ports, connections));
      } catch (error) {
        await manager.disconnect(request.containerId);
        throw error;
      }
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

/** Ports lead to the address in the first network. */
async function publish(
  manager: Pick<NetworkManager, 'publish'>,
  request: NetworkRequest,
  requests: readonly PortRequest[],
  connections: ReadonlyMap<string, Connection>,
): Promise<readonly PortMapping[]> {
  const [first] = connections;
  if (first === undefined || requests.length === 0) return [];
  const [network, { settings }] = first;
  try {
    return await manager.publish(request.containerId, network, requests);
  } catch (cause) {
    const failure = `driver failed programming external connectivity on endpoint ${request.name} (${settings.EndpointID}): ${errorMessage(cause)}`;
    throw new StrakeError(errorCode(cause), failure, { cause });
  }
}

function describeConnections(request: NetworkRequest, connections: ReadonlyMap<string, Connection>, published: readonly PortMapping[]): ConnectedNetwork {
  const all = [...connections.values()];
  return {
    task: {
      hostOperations: all.flatMap(({ hostOperations }) => hostOperations),
      initOperations: all.flatMap(({ initOperations }) => initOperations),
      cleanupOperations: all.flatMap(({ cleanupOperations }) => cleanupOperations),
    },
    state: {
      endpoints: Object.fromEntries([...connections].map(([name, connection]) => [name, endpointSettings(name, connection, request)])),
      ports: portState(request.exposedPorts, published),
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
