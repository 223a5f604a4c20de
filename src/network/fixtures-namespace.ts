// Run by the test in network and mount namespaces of its own: connects containers to networks with the real strake-init and prints what it saw, as JSON.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { DirectLauncher } from '../kernel/launch/index.ts';
import type { Op } from '../kernel/program/index.ts';
import { BridgeNetworks, type Connection, fileNetworkStore } from './index.ts';

const directory = process.argv[2] ?? '';
const launcher = new DirectLauncher({ initPath: process.env['STRAKE_INIT'] ?? path.join(import.meta.dirname, '../../dist/strake-init') });
const cloneNewNet = 0x4000_0000;

/** Output of a command, or what went wrong. */
function shell(command: string): string {
  const result = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  return (result.status === 0 ? result.stdout : `exit ${result.status}: ${result.stderr}`).trim();
}

/** Runs a command as a container's first process, with a network namespace of its own and nothing else. */
async function inContainer(connection: Connection, command: string): Promise<void> {
  const program: Op[] = [
    { op: 'clone', side: 'host', flags: cloneNewNet },
    ...connection.hostOperations,
    { op: 'lo_up', side: 'init' },
    ...connection.initOperations.filter((op) => op.op !== 'sysctl'),
    { op: 'lookup_exec', side: 'init', file: 'sh', env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
    { op: 'exec', side: 'init', argv: ['sh', '-c', command], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
    { op: 'reap', side: 'host' },
    ...connection.cleanupOperations,
  ];
  const { connection: task } = await launcher.launch(program);
  await task.exited;
  task.close();
}

const warnings: string[] = [];
const create = () =>
  new BridgeNetworks({
    store: fileNetworkStore({ networks: path.join(directory, 'a', 'networks.json'), endpoints: path.join(directory, 'b') }),
    runProgram: async (operations) => await launcher.run(operations),
    hostPortDirectory: path.join(directory, 'ports'),
    onWarning: (message) => warnings.push(message),
    bridge: 'stk0',
    mtu: 1400,
  });
const seen: Record<string, unknown> = {};
const networks = create();
await networks.start();
seen['untouched'] = [shell('ip -br link show stk0 2>&1 >/dev/null; cat /proc/sys/net/ipv4/ip_forward'), shell('nft list ruleset')];
const first = await networks.connect({ containerId: 'c1', network: 'bridge' });
seen['settings'] = { ...first.settings, NetworkID: first.settings.NetworkID.length, EndpointID: first.settings.EndpointID.length };
seen['forward'] = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim();
seen['ruleset'] = shell('nft list ruleset');
const output = path.join(directory, 'container');
await inContainer(
  first,
  `{ ip -o -4 addr show dev eth0; ip route; ip -o link show eth0; bash -c 'exec 3<>/dev/tcp/172.17.0.1/9' 2>&1 | grep -o refused; } > ${output} 2>&1`,
);
seen['container'] = readFileSync(output, 'utf8');
// the link goes with the namespace, a moment after its last process
while (shell('ip -o link show type veth') !== '');

seen['again'] = (await networks.connect({ containerId: 'c1', network: 'bridge' })).settings.IPAddress;
seen['second'] = (await networks.connect({ containerId: 'c2', network: 'bridge' })).settings.IPAddress;

const own = await networks.create({
  name: 'own',
  subnet: undefined,
  ipRange: undefined,
  gateway: undefined,
  internal: true,
  attachable: false,
  options: {},
  labels: {},
});
seen['own'] = [own.subnet, own.gateway];
await networks.connect({ containerId: 'c2', network: 'own', interfaceIndex: 1 });

const message = async (action: Promise<unknown>) => await action.then(() => 'done').catch((error: Error) => error.message);
/** Whether a process of the machine may have a port. */
const mayListen = async (number: number) => {
  const server = createServer().listen(number, '127.0.0.2');
  const outcome = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.close();
  return outcome;
};
const port = { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1' } as const;
const at = (first: number, last = first) => ({ ...port, hostPorts: [first, last] }) as const;
const hostPortsOf = async (...requests: Parameters<typeof networks.publish>[2]) =>
  (await networks.publish('c1', 'bridge', requests)).map(({ protocol, hostPort }) => `${hostPort}/${protocol}`);
const listener = createServer().listen(8002, '127.0.0.1');
await once(listener, 'listening');
seen['ports'] = {
  chosen: await hostPortsOf(at(8000), { ...at(8000, 8009), protocol: 'sctp' }, at(8000, 8009), at(8002, 8003), {
    ...port,
    protocol: 'udp',
    hostPorts: [8000, 8000],
  }),
  ruleset: shell('nft list table ip strake-stk0-ports'),
  localnet: shell('cat /proc/sys/net/ipv4/conf/stk0/route_localnet'),
  taken: await message(networks.publish('c2', 'bridge', [{ ...at(8000), hostIp: '' }])),
  twice: await message(networks.publish('c2', 'bridge', [at(9000), at(9000)])),
  bound: await message(networks.publish('c2', 'bridge', [at(9001), at(8002)])),
  absent: await message(networks.publish('c2', 'bridge', [{ ...at(9002), hostIp: '192.0.2.7' }])),
  full: await message(networks.publish('c2', 'bridge', [at(8000, 8001)])),
  strange: await message(networks.publish('c2', 'bridge', [{ ...at(9003), hostIp: '::1' }])),
  internal: await networks.publish('c2', 'own', [at(9004)]),
  stranger: await message(networks.publish('c9', 'bridge', [at(9005)])),
};
const free = (await networks.publish('c2', 'bridge', [{ ...port, hostIp: '', hostPorts: undefined }]))[0]?.hostPort ?? 0;
seen['ephemeral'] = [free >= 32_768 && free <= 60_999, await mayListen(free)];
// only those of the network that it leaves
await networks.disconnect('c2', 'own');
seen['kept'] = shell('nft list table ip strake-stk0-ports').includes(`dport ${free} `);
await networks.connect({ containerId: 'c2', network: 'own', interfaceIndex: 1 });

const ruleset = shell('nft list table ip strake-stk0-ports');

// the daemon's next life: the rules were flushed, and the bridge is gone
shell('nft flush ruleset; ip link del stk0');
const next = create();
await next.start();
seen['restored'] = [
  shell('nft list ruleset') !== '',
  shell('ip -o -4 addr show dev stk0').includes('172.17.0.1/16'),
  next.list().map(({ name, subnet }) => `${name} ${subnet}`),
  shell('nft list table ip strake-stk0-ports') === ruleset,
];
seen['warnings'] = warnings.map((text) => text.replace(String(free), 'EPHEMERAL'));
await next.disconnect('c1');
await networks.disconnect('c1');
seen['freedPorts'] = [shell('nft list table ip strake-stk0-ports').includes('dport 8000 '), await mayListen(8000)];
await next.retain(new Set());
seen['closed'] = [shell('nft list tables'), shell('cat /proc/sys/net/ipv4/conf/stk0/route_localnet'), readdirSync(path.join(directory, 'ports'))];
await next.connect({ containerId: 'c2', network: 'own' });
seen['freed'] = (await next.connect({ containerId: 'c3', network: 'bridge' })).settings.IPAddress;
seen['busy'] = await next.remove('own').catch((error: Error) => error.message);
await next.disconnect('c2');
await next.remove('own');
await next.shutdown();
seen['end'] = [shell('nft list ruleset'), shell('ip -o link show type bridge')];
console.log(JSON.stringify(seen));
process.exit(0);
