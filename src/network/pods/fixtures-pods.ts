// Run by the test in network and mount namespaces of its own: gives pods a network with the real strake-init and prints what it saw, as JSON.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { DirectLauncher } from '../../kernel/launch/index.ts';
import { fileNetworkStore } from '../network-store.ts';
import { BridgePodNetwork } from './bridge-pod-network.ts';
import type { PodToConnect } from './pod-network.ts';

const directory = process.argv[2] ?? '';
const launcher = new DirectLauncher({ initPath: process.env['STRAKE_INIT'] ?? path.join(import.meta.dirname, '../../../dist/strake-init') });
const create = () =>
  new BridgePodNetwork({
    store: fileNetworkStore({ networks: path.join(directory, 'networks.json'), endpoints: path.join(directory, 'endpoints') }),
    hostPortDirectory: path.join(directory, 'ports'),
    runProgram: async (operations) => await launcher.run(operations),
    bridge: 'pods0',
    onWarning: (message, error) => console.error(message, error),
  });

/** Answers each connection on port 80 and each datagram on port 53 with its name and the caller's address. */
const server = `const [name] = process.argv.slice(1);
require('node:net').createServer((socket) => socket.end(name + ' ' + socket.remoteAddress)).listen(80, '0.0.0.0', () => console.log('ready'));
const datagrams = require('node:dgram').createSocket('udp4').bind(53);
datagrams.on('message', (_, from) => datagrams.send(name, from.port, from.address));`;

const servers: ChildProcess[] = [];

/** A process in a network namespace of its own, once it serves. */
async function startPod(name: string) {
  const child = spawn('unshare', ['--net', process.execPath, '-e', server, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(child);
  await once(child.stdout, 'data');
  return child;
}

function podOf(name: string, pid: number | undefined, ports: PodToConnect['ports']): PodToConnect {
  const identity = { id: name, name, namespace: 'default', uid: `${name}-uid`, netns: `/proc/${pid}/ns/net` };
  return { ...identity, annotations: {}, ports, dns: undefined, cgroupParent: '' };
}

/** Output of a command, or what went wrong. */
function shell(command: string, pid?: number): string {
  const within = pid === undefined ? [] : ['nsenter', '--target', String(pid), '--net'];
  const [program = '', ...args] = [...within, 'bash', '-c', command];
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return (result.status === 0 ? result.stdout : `exit ${result.status}: ${result.stderr}`).trim();
}
const ask = (address: string, port: number, pid?: number) => shell(`cat </dev/tcp/${address}/${port}`, pid);
const message = async (action: Promise<unknown>) => await action.then(() => 'done').catch((error: Error) => error.message);

const seen: Record<string, unknown> = {};
process.once('exit', () => {
  for (const child of servers) child.kill('SIGKILL');
});
const [first, second, outside] = await Promise.all([startPod('first'), startPod('second'), startPod('outside')]);
shell(`ip link add out0 type veth peer name eth0 netns ${outside.pid}; ip addr add 192.0.2.1/24 dev out0; ip link set out0 up`);
shell('ip addr add 192.0.2.2/24 dev eth0; ip link set eth0 up; ip link set lo up; ip route add default via 192.0.2.1', outside.pid);

const network = create();
await network.start();
seen['untouched'] = shell('nft list ruleset; ip -o link show type bridge');
const tcp = { protocol: 'tcp', containerPort: 80, hostIp: '' } as const;
const added = await network.add(
  podOf('first', first.pid, [
    { ...tcp, hostPort: 8080 },
    { ...tcp, protocol: 'udp', containerPort: 53, hostPort: 5353 },
  ]),
);
seen['addresses'] = added.addresses;
seen['details'] = JSON.parse(JSON.stringify(added.details).replaceAll(String(first.pid), 'PID'));
seen['inside'] = shell('ip -o -4 addr show dev eth0; ip route; ip -o link show lo; cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6', first.pid);
seen['again'] = await message(network.add(podOf('first', first.pid, [])));
seen['taken'] = await message(network.add(podOf('second', second.pid, [{ ...tcp, hostPort: 8080, hostIp: '192.0.2.1' }])));
seen['strange'] = await message(network.add(podOf('second', second.pid, [{ ...tcp, hostPort: 9090, hostIp: '::1' }])));
seen['nowhere'] = (await message(network.add({ ...podOf('second', second.pid, []), netns: path.join(directory, 'none') }))).replace(directory, '');
seen['second'] = (await network.add(podOf('second', second.pid, [{ ...tcp, hostPort: 8081, hostIp: '192.0.2.1' }]))).addresses;
seen['reached'] = {
  fromHost: ask('10.88.0.2', 80),
  fromPod: ask('10.88.0.2', 80, second.pid),
  byLoopback: ask('127.0.0.1', 8080),
  byAddress: ask('192.0.2.1', 8080),
  fromOutside: ask('192.0.2.1', 8080, outside.pid),
  fromOtherPod: ask('10.88.0.1', 8080, second.pid),
  fromItself: ask('10.88.0.1', 8080, first.pid),
  directly: ask('10.88.0.2', 80, outside.pid),
  outwards: ask('192.0.2.2', 80, first.pid),
  datagram: shell('exec 3<>/dev/udp/192.0.2.1/5353; echo >&3; head -c 5 <&3', outside.pid),
  oneAddress: ask('192.0.2.1', 8081, outside.pid),
  otherAddress: ask('10.88.0.1', 8081).replace(/.*connect: /s, ''),
};
seen['ruleset'] = shell('nft list table ip pods0-ports');
seen['check'] = [await message(network.check('first')), await message(network.check('third'))];

// the daemon's next life: the rules were flushed
shell('nft flush ruleset');
const next = create();
await next.start();
seen['restored'] = ask('192.0.2.1', 8080, outside.pid);
shell('ip link del $(ip -o link show master pods0 | head -1 | cut -d: -f2 | cut -d@ -f1)');
seen['broken'] = (await message(next.check('first'))).replace(/veth\w+/, 'VETH');
await next.delete('first');
await next.delete('first');
seen['closed'] = ask('192.0.2.1', 8080).replace(/.*connect: /s, '');
await next.gc(new Set());
seen['end'] = [shell('nft list tables'), readdirSync(path.join(directory, 'ports')), readdirSync(path.join(directory, 'endpoints'))];
await next.close();
for (const child of servers) child.kill('SIGKILL');
console.log(JSON.stringify(seen));
