import { expect, test } from 'bun:test';
import { StrakeError } from '../../base/index.ts';
import type { ConnectRequest, ManagedNetwork } from '../../network/index.ts';
import type { NetworkRequest } from '../containers/context.ts';
import { createContainerNetworks } from './index.ts';

const request: NetworkRequest = {
  containerId: 'c'.repeat(64),
  name: 'web',
  hostname: 'h1',
  networkMode: 'default',
  endpoints: {},
  portBindings: {},
  exposedPorts: ['80/tcp'],
  publishAllPorts: false,
};

function createNetworks() {
  const calls: unknown[] = [];
  const networks = createContainerNetworks({
    get(network) {
      if (!['bridge', 'mine', 'full'].includes(network)) throw new StrakeError('NotFound', `network ${network} not found`);
      return { name: network } as ManagedNetwork;
    },
    async connect(connection: ConnectRequest) {
      calls.push(connection);
      if (connection.network === 'full') throw new StrakeError('ResourceExhausted', 'no address is free');
      const n = connection.interfaceIndex ?? 0;
      return {
        hostOperations: [{ op: 'mkdir', side: 'host', path: `/host${n}`, mode: 0 }],
        initOperations: [],
        cleanupOperations: [],
        settings: { NetworkID: 'n', EndpointID: 'e', Gateway: `10.${n}.0.1`, IPAddress: `10.${n}.0.2`, IPPrefixLen: 16, MacAddress: '02:00:00:00:00:01' },
        hostGateway: `10.${n}.0.1`,
      };
    },
    async publish(containerId, network, requests) {
      calls.push(['publish', containerId, network, requests]);
      if (requests.some(({ hostPorts }) => hostPorts?.[0] === 1)) throw new StrakeError('ResourceExhausted', 'Bind for 0.0.0.0:1 failed');
      return requests.map(({ protocol, containerPort, hostIp, hostPorts }) => ({ protocol, containerPort, hostIp, hostPort: hostPorts?.[0] ?? 40_000 }));
    },
    async disconnect(...args) {
      calls.push(['disconnect', ...args]);
    },
  });
  return { networks, calls };
}

test('the default network', async () => {
  const { networks, calls } = createNetworks();
  const { state, addresses, gateway } = await networks.connect(request);
  expect(calls).toEqual([
    { containerId: request.containerId, network: 'bridge', interfaceIndex: 0, hasPorts: false, ipv4Address: undefined, macAddress: undefined },
  ]);
  expect([addresses, gateway, state.ports]).toEqual([['10.0.0.2'], '10.0.0.1', { '80/tcp': null }]);
  expect(state.endpoints).toEqual({
    bridge: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: '02:00:00:00:00:01',
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: 'n',
      EndpointID: 'e',
      Gateway: '10.0.0.1',
      IPAddress: '10.0.0.2',
      IPPrefixLen: 16,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    },
  });
});

test('several networks: that of the mode comes first', async () => {
  const { networks } = createNetworks();
  const { state, task, gateway } = await networks.connect({
    ...request,
    networkMode: 'mine',
    endpoints: { bridge: {}, mine: { Aliases: ['app'], IPAMConfig: { IPv4Address: '10.0.0.2' } } },
  });
  expect([Object.keys(state.endpoints), gateway, task.hostOperations.length]).toEqual([['mine', 'bridge'], '10.0.0.1', 2]);
  expect(state.endpoints['mine']?.DNSNames).toEqual(['web', 'app', 'cccccccccccc', 'h1']);
});

test('what cannot be connected whole is not connected at all', async () => {
  const { networks, calls } = createNetworks();
  await expect(networks.connect({ ...request, endpoints: { full: {} } })).rejects.toMatchObject({ code: 'ResourceExhausted' });
  expect(calls.at(-1)).toEqual(['disconnect', request.containerId]);
});

test('a network that is not there is refused', async () => {
  const { networks } = createNetworks();
  await expect(networks.connect({ ...request, networkMode: 'absent' })).rejects.toMatchObject({ code: 'NotFound', message: 'network absent not found' });
});

test('ports are published in the first network, and told as docker tells them', async () => {
  const { networks, calls } = createNetworks();
  const binding = (HostPort: string, HostIp = '') => ({ HostIp, HostPort });
  const { state } = await networks.connect({
    ...request,
    networkMode: 'mine',
    endpoints: { bridge: {} },
    portBindings: { '53/udp': [binding('5300-5310', '127.0.0.1'), binding('')], '90': [binding('0')], '70/tcp': [] },
    exposedPorts: ['80/tcp', '53/udp'],
    publishAllPorts: true,
  });
  expect(state.ports).toEqual({
    '53/udp': [binding('5300', '127.0.0.1'), binding('40000', '0.0.0.0')],
    '80/tcp': [binding('40000', '0.0.0.0')],
    '90/tcp': [binding('40000', '0.0.0.0')],
  });
  expect(calls.at(-1)).toEqual([
    'publish',
    request.containerId,
    'mine',
    [
      { protocol: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPorts: [5300, 5310] },
      { protocol: 'udp', containerPort: 53, hostIp: '', hostPorts: undefined },
      { protocol: 'tcp', containerPort: 80, hostIp: '', hostPorts: undefined },
      { protocol: 'tcp', containerPort: 90, hostIp: '', hostPorts: undefined },
    ],
  ]);
});

test('a port that is taken: nothing stays connected', async () => {
  const { networks, calls } = createNetworks();
  await expect(networks.connect({ ...request, portBindings: { '80/tcp': [{ HostIp: '', HostPort: '1' }] } })).rejects.toMatchObject({
    code: 'ResourceExhausted',
    message: 'driver failed programming external connectivity on endpoint web (e): Bind for 0.0.0.0:1 failed',
  });
  expect(calls.at(-1)).toEqual(['disconnect', request.containerId]);
});
