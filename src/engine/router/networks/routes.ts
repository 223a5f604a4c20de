import type { NetworkInspect } from '../../../api/docker/index.ts';
import { isCode, StrakeError } from '../../../base/index.ts';
import { parseUntil } from '../../images/index.ts';
import {
  type ApiRequest,
  asObject,
  del,
  empty,
  type Filters,
  get,
  hasLabel,
  json,
  optionalBoolean,
  optionalObject,
  optionalString,
  optionalStringMap,
  optionalStrings,
  post,
  type Route,
  readJson,
} from '../../server/index.ts';
import type { EndpointRequest, NetworksBackend, NewNetwork } from './backend.ts';

const predefined = ['bridge', 'host', 'none'];

export function networkRoutes(networks: NetworksBackend): readonly Route[] {
  return [
    get('/networks', async ({ query, apiVersion }) =>
      json((await listNetworks(networks, query.filters())).map((network) => (apiVersion.atLeast('1.28') ? { ...network, Containers: {} } : network))),
    ),
    get('/networks/{id}', async ({ params: { id = '' } }) => json(await networks.get(id))),
    post('/networks/create', async (request) => json(await createNetwork(networks, request), 201)),
    post('/networks/prune', async ({ query }) => json(await pruneNetworks(networks, query.filters()))),
    post('/networks/{id}/connect', async (request) => {
      const body = asObject(await readJson(request), 'body');
      await networks.connect(request.params['id'] ?? '', containerOf(body), readEndpoint(body));
      return empty(200);
    }),
    post('/networks/{id}/disconnect', async (request) => {
      const body = asObject(await readJson(request), 'body');
      await networks.disconnect(request.params['id'] ?? '', containerOf(body), { force: optionalBoolean(body, 'Force') ?? false });
      return empty(200);
    }),
    del('/networks/{id}', async ({ params: { id = '' } }) => {
      await networks.remove(id);
      return empty(204);
    }),
  ];
}

async function listNetworks(networks: NetworksBackend, filters: Filters): Promise<readonly NetworkInspect[]> {
  filters.accept('dangling', 'driver', 'id', 'label', 'name', 'scope', 'type');
  const dangling = filters.flag('dangling');
  return (await networks.list()).filter(
    (network) =>
      filters.any('driver', (driver) => network.Driver === driver) &&
      filters.any('id', (id) => network.Id.startsWith(id)) &&
      filters.any('name', (name) => network.Name.includes(name)) &&
      filters.any('scope', (scope) => network.Scope === scope) &&
      filters.any('type', (type) => type === (isPredefined(network) ? 'builtin' : 'custom')) &&
      filters.labels(network.Labels) &&
      (dangling === undefined || dangling === isUnused(network)),
  );
}

async function createNetwork(networks: NetworksBackend, request: ApiRequest): Promise<{ readonly Id: string; readonly Warning: string }> {
  const { id } = await networks.create(readNewNetwork(await readJson(request)));
  return { Id: id, Warning: '' };
}

function readNewNetwork(value: unknown): NewNetwork {
  const body = asObject(value, 'body');
  const name = optionalString(body, 'Name') ?? '';
  if (name.trim() === '') throw new StrakeError('InvalidArgument', 'invalid network name: name is empty');
  const ipam = optionalObject(body, 'IPAM') ?? {};
  const configs = ipam['Config'] ?? [];
  if (!Array.isArray(configs) || configs.length > 1) throw new StrakeError('InvalidArgument', 'invalid IPAM.Config: must be a list of at most one subnet');
  const config = asObject(configs[0], 'IPAM.Config');
  const text = (field: string) => optionalString(config, field) || undefined;
  return {
    name,
    driver: optionalString(body, 'Driver') ?? '',
    internal: optionalBoolean(body, 'Internal') ?? false,
    attachable: optionalBoolean(body, 'Attachable') ?? false,
    enableIPv6: optionalBoolean(body, 'EnableIPv6') ?? false,
    subnet: text('Subnet'),
    ipRange: text('IPRange'),
    gateway: text('Gateway'),
    options: optionalStringMap(body, 'Options') ?? {},
    labels: optionalStringMap(body, 'Labels') ?? {},
  };
}

function containerOf(body: ReturnType<typeof asObject>): string {
  const container = optionalString(body, 'Container') ?? '';
  if (container === '') throw new StrakeError('InvalidArgument', 'invalid container: value is empty');
  return container;
}

function readEndpoint(body: ReturnType<typeof asObject>): EndpointRequest {
  const endpoint = optionalObject(body, 'EndpointConfig') ?? {};
  const ipam = optionalObject(endpoint, 'IPAMConfig') ?? {};
  return {
    ipv4Address: optionalString(ipam, 'IPv4Address') || undefined,
    aliases: optionalStrings(endpoint, 'Aliases') ?? [],
    macAddress: optionalString(endpoint, 'MacAddress') || undefined,
  };
}

async function pruneNetworks(networks: NetworksBackend, filters: Filters): Promise<{ readonly NetworksDeleted: readonly string[] | null }> {
  filters.accept('label', 'label!', 'until');
  const until = Math.min(...filters.get('until').map((text) => parseUntil(text, new Date())));
  const deleted: string[] = [];
  for (const network of await networks.list()) {
    const wanted = filters.labels(network.Labels) && !filters.get('label!').some((label) => hasLabel(network.Labels, label));
    if (isPredefined(network) || !isUnused(network) || !wanted || Date.parse(network.Created) / 1000 > until) continue;
    try {
      await networks.remove(network.Id);
      deleted.push(network.Name);
    } catch (error) {
      // Taken, or removed by somebody else, meanwhile.
      if (!isCode(error, 'FailedPrecondition') && !isCode(error, 'NotFound') && !isCode(error, 'PermissionDenied')) throw error;
    }
  }
  return { NetworksDeleted: deleted.length === 0 ? null : deleted };
}

const isPredefined = (network: NetworkInspect) => predefined.includes(network.Name);
const isUnused = (network: NetworkInspect) => !isPredefined(network) && Object.keys(network.Containers).length === 0;
