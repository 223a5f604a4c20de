import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseIpv4, parseIpv4Prefix } from '../kernel/netlink/index.ts';
import { chooseAddress, choosePool, macOf, overlaps } from './address-pools.ts';
import { parseRoutes } from './host-links.ts';
import { BridgeNetworks, type HostLinks, type NetworkStore } from './index.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'strake-network-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('with the real kernel, in a network namespace of its own', () => {
  // A new namespace forwards when the machine does.
  const script = `echo 0 >/proc/sys/net/ipv4/ip_forward && mount -t sysfs sysfs /sys && ip link set lo up && exec "$0" "$1" "$2"`;
  const result = spawnSync(
    'unshare',
    ['--net', '--mount', 'sh', '-c', script, process.execPath, path.join(import.meta.dirname, 'fixtures-namespace.ts'), directory],
    { encoding: 'utf8' },
  );
  expect(result.stderr).toBe('');
  const seen = JSON.parse(result.stdout);
  expect(seen.untouched).toEqual(['Device "stk0" does not exist.\n0', '']);
  expect(seen.settings).toEqual({
    NetworkID: 64,
    EndpointID: 64,
    Gateway: '172.17.0.1',
    IPAddress: '172.17.0.2',
    IPPrefixLen: 16,
    MacAddress: '02:42:ac:11:00:02',
  });
  expect(seen.forward).toBe('1');
  expect(seen.ruleset).toBe(`table ip strake-stk0 {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 172.17.0.0/16 oifname != "stk0" masquerade
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		iifname "stk0" oifname "stk0" accept
		oifname "stk0" ct status dnat accept
		oifname "stk0" drop
	}
}`);
  expect(seen.container).toContain('inet 172.17.0.2/16 brd 172.17.255.255');
  expect(seen.container).toContain('default via 172.17.0.1 dev eth0');
  expect(seen.container).toContain('mtu 1400');
  expect(seen.container).toContain('02:42:ac:11:00:02');
  // nothing listens there: the gateway itself has answered
  expect(seen.container).toEndWith('refused\n');
  expect(seen.again).toBe('172.17.0.2');
  expect(seen.second).toBe('172.17.0.3');
  expect(seen.own).toEqual(['172.18.0.0/16', '172.18.0.1']);
  expect(seen.ports).toEqual({
    chosen: ['8000/tcp', '8000/sctp', '8001/tcp', '8003/tcp', '8000/udp'],
    // ports of the loopback alone: nothing of the wire leads there
    ruleset: `table ip strake-stk0-ports {
	chain forged {
		type filter hook prerouting priority raw; policy accept;
		iifname "stk0" ip daddr 127.0.0.0/8 drop
	}

	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
	}

	chain output {
		type nat hook output priority -100; policy accept;
		ip daddr 127.0.0.1 tcp dport 8000 dnat to 172.17.0.2:80
		ip daddr 127.0.0.1 sctp dport 8000 dnat to 172.17.0.2:80
		ip daddr 127.0.0.1 tcp dport 8001 dnat to 172.17.0.2:80
		ip daddr 127.0.0.1 tcp dport 8003 dnat to 172.17.0.2:80
		ip daddr 127.0.0.1 udp dport 8000 dnat to 172.17.0.2:80
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 127.0.0.0/8 oifname "stk0" ct status dnat masquerade
		ip saddr 172.17.0.0/16 oifname "stk0" ct status dnat masquerade
	}
}`,
    localnet: '1',
    taken: 'Bind for 0.0.0.0:8000 failed: port is already allocated',
    twice: 'Bind for 127.0.0.1:9000 failed: port is already allocated',
    bound: 'failed to bind host port for 127.0.0.1:8002:172.17.0.3:80/tcp: address already in use',
    absent: 'failed to bind host port for 192.0.2.7:9002:172.17.0.3:80/tcp: cannot assign requested address',
    full: 'all ports are allocated',
    strange: 'cannot publish a port at ::1: it is no IPv4 address',
    internal: [],
    stranger: 'container c9 cannot have ports in network bridge',
  });
  expect([seen.ephemeral, seen.kept]).toEqual([[true, false], true]);
  // the test's own process still has them
  expect(seen.warnings).toEqual([
    ...['8000/tcp', '8001/tcp', '8003/tcp', '8000/udp'].map((port) => `port ${port} of container c1 has another listener`),
    'port EPHEMERAL/tcp of container c2 has another listener',
  ]);
  expect(seen.freedPorts).toEqual([false, true]);
  expect(seen.closed).toEqual(['table ip strake-stk0', '0', []]);
  expect(seen.restored).toEqual([true, true, ['bridge 172.17.0.0/16', 'own 172.18.0.0/16'], true]);
  expect(seen.freed).toBe('172.17.0.2');
  expect(seen.busy).toBe('network own has active endpoints');
  expect(seen.end).toEqual(['', '']);
});

const noStore: NetworkStore = { load: () => ({ networks: [], endpoints: [] }), saveNetworks: () => {}, addEndpoint: () => {}, removeEndpoint: () => {} };

/** A host with these routes, on which nothing can be run. */
function createNetworks(routes: string[] = []) {
  const links: HostLinks = {
    routes: () => routes.map((text) => ({ link: 'eth0', prefix: parseIpv4Prefix(text) })),
    indexOf: () => 7,
    mtuOf: () => 9000,
    hasIpv6: () => true,
  };
  return new BridgeNetworks({ store: noStore, links, runProgram: async () => {} });
}

const blank = { ipRange: undefined, gateway: undefined, internal: false, attachable: false, options: {}, labels: {} };

test('the default network avoids the host’s routes', async () => {
  const networks = createNetworks(['0.0.0.0/0', '172.16.0.0/15', '172.18.4.0/24']);
  await networks.start();
  expect(networks.get('bridge')).toMatchObject({ subnet: '172.19.0.0/16', gateway: '172.19.0.1', options: { 'com.docker.network.bridge.name': 'strake0' } });
  expect(networks.get('default').name).toBe('bridge');
});

test('fixed addresses, and what does not fit', async () => {
  const networks = createNetworks();
  await networks.start();
  const own = await networks.create({ ...blank, name: 'own', subnet: '10.1.2.0/24', ipRange: '10.1.2.128/25', gateway: '10.1.2.254' });
  const connect = (ipv4Address: string | undefined, containerId = ipv4Address ?? 'any') =>
    networks.connect({ containerId, network: own.id, ipv4Address }).then(({ settings }) => settings.IPAddress);
  expect(await connect(undefined)).toBe('10.1.2.128');
  expect(await connect('10.1.2.9')).toBe('10.1.2.9');
  for (const [action, message] of [
    [() => connect('10.1.2.9', 'other'), 'address 10.1.2.9 is already in use'],
    [() => connect('10.1.2.254'), 'address 10.1.2.254 is already in use'],
    [() => connect('10.1.3.1'), 'invalid address 10.1.3.1: it does not belong to subnet 10.1.2.0/24 of network own'],
    [() => connect('10.1.2.255'), 'invalid address 10.1.2.255: it does not belong to subnet 10.1.2.0/24 of network own'],
    [() => connect('010.1.2.3'), 'invalid IPv4 address "010.1.2.3"'],
    [() => networks.create({ ...blank, name: 'own', subnet: undefined }), 'network with name own already exists'],
    [() => networks.create({ ...blank, name: 'x', subnet: '10.1.0.0/16' }), 'invalid pool request: subnet 10.1.0.0/16 overlaps with network own'],
    [() => networks.create({ ...blank, name: 'x', subnet: '10.2.0.0/31' }), 'invalid subnet 10.2.0.0/31: its length is not in 8-30'],
    [
      () => networks.create({ ...blank, name: 'x', subnet: '10.2.0.0/24', gateway: '10.2.0.0' }),
      'invalid gateway 10.2.0.0: it is not an address of subnet 10.2.0.0/24',
    ],
    [
      () => networks.create({ ...blank, name: 'x', subnet: '10.2.0.0/24', ipRange: '10.3.0.0/25' }),
      'invalid address range 10.3.0.0/25: it is not in subnet 10.2.0.0/24',
    ],
    [() => networks.create({ ...blank, name: 'x', subnet: undefined, options: { 'com.docker.network.bridge.name': '../x' } }), 'invalid interface name "../x"'],
    [() => networks.remove('bridge'), 'bridge is a pre-defined network and cannot be removed'],
    [() => networks.connect({ containerId: 'c', network: 'nowhere' }), 'network nowhere not found'],
  ] as const)
    expect(await action().then(String, (error: Error) => error.message)).toBe(message);
});

test('a failure to make the bridge is tried again at the next connection', async () => {
  const links: HostLinks = { routes: () => [], indexOf: () => 7, mtuOf: () => undefined, hasIpv6: () => false };
  let calls = 0;
  const runProgram = async () => {
    calls += 1;
    if (calls === 1) throw new Error('no');
  };
  const networks = new BridgeNetworks({ store: noStore, links, runProgram });
  await networks.start();
  expect(await networks.connect({ containerId: 'a', network: 'bridge' }).catch((error: Error) => error.message)).toBe('no');
  expect((await networks.connect({ containerId: 'a', network: 'bridge' })).settings.IPAddress).toBe('172.17.0.2');
  expect(calls).toBe(3);
});

test('the last address of a network is given, then none', () => {
  const subnet = parseIpv4Prefix('10.0.0.0/30');
  expect(chooseAddress(subnet, subnet, new Set([parseIpv4('10.0.0.1')]))).toBe(parseIpv4('10.0.0.2'));
  expect(() => chooseAddress(subnet, subnet, new Set(['10.0.0.1', '10.0.0.2'].map(parseIpv4)))).toThrow(
    "no available IPv4 addresses on this network's address pools (10.0.0.0/30)",
  );
  expect(() => choosePool([parseIpv4Prefix('172.16.0.0/12'), parseIpv4Prefix('192.168.0.0/16')])).toThrow(
    'all predefined address pools have been fully subnetted',
  );
  expect(macOf(parseIpv4('172.17.255.10'))).toBe('02:42:ac:11:ff:0a');
  expect(overlaps(parseIpv4Prefix('0.0.0.0/0'), subnet)).toBe(false);
});

test('routes of /proc/net/route', () => {
  const text = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
  expect(parseRoutes(text)).toEqual([
    { link: 'eth0', prefix: { address: 0, length: 0 } },
    { link: 'eth0', prefix: parseIpv4Prefix('192.0.2.0/24') },
  ]);
});
