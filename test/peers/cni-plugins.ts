// Run by the test in network and mount namespaces of its own: pods in a network of the real plugins; prints what it saw, as JSON.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openPodNetwork, type PodToConnect } from '../../src/network/index.ts';

const [directory = '', pluginDirectory = ''] = process.argv.slice(2);
const file = (...parts: readonly string[]) => path.join(directory, ...parts);

const ipam = { type: 'host-local', dataDir: file('ipam'), ranges: [[{ subnet: '10.77.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
mkdirSync(file('net.d'));
writeFileSync(
  file('net.d/10-pods.conflist'),
  JSON.stringify({
    cniVersions: ['0.4.0', '1.1.0'],
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      { type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true }, backend: 'nftables' },
      { type: 'tuning', sysctl: { 'net.ipv4.ip_default_ttl': '77' } },
    ],
  }),
);

const open = () =>
  openPodNetwork({
    kind: 'auto',
    cni: { configDirectory: file('net.d'), pluginDirectories: [pluginDirectory] },
    dataDirectory: file('data'),
    runDirectory: file('run'),
    runProgram: async () => await Promise.reject(new Error('the bridge that needs no plugins was asked')),
    onWarning: (message, error) => console.error(message, error),
  });

/** Answers connections on port 80. */
const server = "require('node:net').createServer((socket) => socket.end('pod')).listen(80, '0.0.0.0', () => console.log('ready'))";
const child = spawn('unshare', ['--net', process.execPath, '-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
process.once('exit', () => child.kill('SIGKILL'));
await once(child.stdout, 'data');

function podOf(id: string, hostPort: number): PodToConnect {
  const identity = { id, name: id, namespace: 'default', uid: `${id}-uid`, netns: `/proc/${child.pid}/ns/net` };
  return { ...identity, annotations: {}, ports: [{ protocol: 'tcp', containerPort: 80, hostPort, hostIp: '' }], dns: undefined, cgroupParent: '' };
}

/** Output of a command, or what went wrong. */
function shell(command: string, pid?: number): string {
  const [program = '', ...args] = [...(pid === undefined ? [] : ['nsenter', '--target', String(pid), '--net']), 'bash', '-c', command];
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return (result.status === 0 ? result.stdout : `exit ${result.status}: ${result.stderr}`).trim();
}
const given = () => readdirSync(file('ipam/pods')).filter((name) => name.startsWith('10.'));
const message = async (action: Promise<unknown>) => await action.then(() => 'done').catch((error: Error) => error.message);

const seen: Record<string, unknown> = {};
const network = await open();
seen['status'] = await network.status().then(({ ready, message: text }) => [ready, text]);
seen['added'] = (await network.add(podOf('one', 8080))).addresses;
seen['inside'] = shell('ip -o -4 addr show dev eth0; ip route; cat /proc/sys/net/ipv4/ip_default_ttl', child.pid);
seen['byPort'] = [shell('cat </dev/tcp/10.77.0.1/8080'), shell('cat </dev/tcp/127.0.0.1/8080').replace(/.*connect: /s, '')];
seen['given'] = given();
seen['check'] = await message(network.check('one'));
shell('ip addr flush dev eth0', child.pid);
seen['broken'] = (await message(network.check('one'))).split(':')[0];
const next = await open();
await next.delete('one');
seen['deleted'] = [given(), shell('ip -o link show dev eth0', child.pid).includes('does not exist'), shell('cat </dev/tcp/10.77.0.1/8080').includes('refused')];

// a pod whose sandbox is gone at the next start
await next.add(podOf('lost', 8081));
const third = await open();
seen['lost'] = given();
await third.gc(new Set());
seen['collected'] = given();

// a plugin that fails behind one that has given an address
writeFileSync(
  file('net.d/05-first.conflist'),
  JSON.stringify({
    cniVersion: '1.1.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipam },
      { type: 'tuning', sysctl: { 'net.ipv4.none': '1' } },
    ],
  }),
);
seen['fails'] = (await message(third.add(podOf('two', 0)))).slice(0, 34);
seen['afterFailure'] = given();
child.kill('SIGKILL');
console.log(JSON.stringify(seen));
