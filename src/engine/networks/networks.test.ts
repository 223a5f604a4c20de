import { expect, test } from 'bun:test';
import type { EndpointSettings } from '../../api/docker/index.ts';
import type { ManagedNetwork } from '../../network/index.ts';
import { Networks } from './index.ts';

const bridge: ManagedNetwork = {
  id: 'b'.repeat(64),
  name: 'bridge',
  createdAt: new Date(0),
  subnet: '172.17.0.0/16',
  ipRange: undefined,
  gateway: '172.17.0.1',
  internal: false,
  attachable: false,
  options: {},
  labels: {},
};
const endpoint = {
  EndpointID: 'e'.repeat(64),
  MacAddress: '02:42:ac:11:00:02',
  IPAddress: '172.17.0.2',
  IPPrefixLen: 16,
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
} as EndpointSettings;
const creation = {
  driver: '',
  enableIPv6: false,
  subnet: undefined,
  ipRange: undefined,
  gateway: undefined,
  internal: false,
  attachable: false,
  options: {},
  labels: {},
};

function createNetworks() {
  const managed = [bridge];
  const events: string[] = [];
  const networks = new Networks({
    manager: {
      list: () => managed,
      async create(network) {
        const made = { ...bridge, ...network, id: `c${'0'.repeat(63)}`, subnet: '172.18.0.0/16', gateway: '172.18.0.1', ipRange: undefined };
        managed.push(made);
        return made;
      },
      async remove(id) {
        managed.splice(
          managed.findIndex((network) => network.id === id),
          1,
        );
      },
    },
    members: async () => ['bridge', 'busy'].map((network) => ({ network, containerId: 'c1', containerName: 'web', endpoint })),
    events: { publish: ({ action, attributes }) => events.push(`${action} ${attributes?.['name']}`) },
    engineId: 'engine',
    startedAt: new Date(0),
  });
  return { networks, events };
}

test('the predefined networks, with their members', async () => {
  const { networks } = createNetworks();
  expect((await networks.list()).map(({ Name, Driver }) => [Name, Driver])).toEqual([
    ['bridge', 'bridge'],
    ['host', 'host'],
    ['none', 'null'],
  ]);
  expect(await networks.get('bridge')).toMatchObject({
    IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' }] },
    Containers: { c1: { Name: 'web', EndpointID: 'e'.repeat(64), MacAddress: '02:42:ac:11:00:02', IPv4Address: '172.17.0.2/16', IPv6Address: '' } },
  });
  expect((await networks.get('bbb')).Name).toBe('bridge');
});

test('a network is made, found and removed', async () => {
  const { networks, events } = createNetworks();
  const { id } = await networks.create({ ...creation, name: 'mine' });
  expect((await networks.get('mine')).Id).toBe(id);
  await expect(networks.create({ ...creation, name: 'mine' })).rejects.toMatchObject({
    code: 'AlreadyExists',
    message: 'network with name mine already exists',
  });
  await networks.remove('mine');
  await expect(networks.get('mine')).rejects.toMatchObject({ code: 'NotFound', message: 'network mine not found' });
  expect(events).toEqual(['create mine', 'destroy mine']);
});

test.each([
  [{ name: 'x', driver: 'overlay' }, 'NotFound', 'could not find plugin overlay in v1 plugin registry: plugin not found'],
  [{ name: 'x', enableIPv6: true }, 'InvalidArgument', 'IPv6 networks are not available'],
  [{ name: '../x' }, 'InvalidArgument', 'invalid network name "../x": only [a-zA-Z0-9][a-zA-Z0-9_.-]* is allowed'],
  [{ name: 'host' }, 'PermissionDenied', 'operation is not permitted on predefined host network'],
] as const)('create %j is refused', async (change, code, message) => {
  await expect(createNetworks().networks.create({ ...creation, ...change })).rejects.toMatchObject({ code, message });
});

test('what is predefined or in use stays', async () => {
  const { networks } = createNetworks();
  await expect(networks.remove('host')).rejects.toMatchObject({ code: 'PermissionDenied', message: 'host is a pre-defined network and cannot be removed' });
  await networks.create({ ...creation, name: 'busy' });
  await expect(networks.remove('busy')).rejects.toMatchObject({
    code: 'PermissionDenied',
    message: 'error while removing network: network busy has active endpoints (name:"web" id:"eeeeeeeeeeee")',
  });
});
