import { afterEach, beforeEach, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PodToConnect } from '../pods/pod-network.ts';
import { CniPodNetwork, type CniPodNetworkOptions } from './cni-pod-network.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'strake-cni-'));
  mkdirSync(path.join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (...parts: readonly string[]) => path.join(directory, ...parts);
const result = { cniVersion: '1.1.0', interfaces: [{ name: 'eth0', sandbox: '/x' }], ips: [{ address: '10.1.0.2/16', interface: 0 }] };

/** A plugin that notes each call, takes its orders from `<name>-<verb>` (a script) when there are any, and answers ADD with a result. */
function plugin(name: string): void {
  const script = `#!/bin/sh
config=$(cat)
printf '%s %s %s %s\\n%s\\n' ${name} "$CNI_COMMAND" "\${CNI_NETNS-none}" "$CNI_ARGS" "$config" >> ${file('calls')}
orders=${file(name)}-$CNI_COMMAND
[ -e "$orders" ] && . "$orders"
[ "$CNI_COMMAND" = ADD ] && echo '${JSON.stringify({ ...result, by: name })}'
exit 0
`;
  writeFileSync(file('bin', name), script);
  chmodSync(file('bin', name), 0o755);
}

const order = (name: string, verb: string, script: string) => writeFileSync(file(`${name}-${verb}`), script);

function configure(config: object, name = '10-net.conflist'): void {
  mkdirSync(file('net.d'), { recursive: true });
  writeFileSync(file('net.d', name), JSON.stringify(config));
}

const twoPlugins = {
  cniVersion: '1.1.0',
  name: 'net',
  plugins: [{ type: 'first' }, { type: 'second', key: 1, capabilities: { portMappings: true, bandwidth: true, dns: false } }],
};

async function open(warnings: string[] = [], options: Partial<CniPodNetworkOptions> = {}): Promise<CniPodNetwork> {
  for (const name of ['first', 'second']) plugin(name);
  const network = new CniPodNetwork({
    configDirectory: file('net.d'),
    pluginDirectories: [file('nowhere'), file('bin')],
    attachmentDirectory: file('attachments'),
    ...options,
    onWarning: (message) => void warnings.push(message),
  });
  await network.start();
  return network;
}

const pod: PodToConnect = {
  id: 'p1',
  name: 'web',
  namespace: 'default',
  uid: 'u1',
  netns: '/proc/self/ns/net',
  annotations: { 'kubernetes.io/egress-bandwidth': '1.5M' },
  ports: [
    { protocol: 'tcp', containerPort: 80, hostPort: 8080, hostIp: '' },
    { protocol: 'tcp', containerPort: 81, hostPort: 0, hostIp: '' },
  ],
  dns: { servers: ['1.1.1.1'], searches: [], options: [] },
  cgroupParent: '/pods/u1',
};

/** `second ADD` … of the calls since the last look, and what each read. */
function calls(): { readonly names: string[]; readonly lines: string[]; readonly configs: Record<string, unknown>[] } {
  const lines = existsSync(file('calls')) ? readFileSync(file('calls'), 'utf8').trim().split('\n') : [];
  rmSync(file('calls'), { force: true });
  const heads = lines.filter((_, index) => index % 2 === 0);
  return {
    names: heads.map((line) => line.split(' ').slice(0, 2).join(' ')),
    lines: heads,
    configs: lines.filter((_, index) => index % 2 === 1).map((line) => JSON.parse(line)),
  };
}

/** A process, which may be gone between two looks. */
function hasEnded(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

const failure = async (action: Promise<unknown>) =>
  await action.then(() => 'done').catch((error: { code?: string; message: string }) => `${error.code}: ${error.message.replaceAll(directory, '')}`);

test('a pod through a chain: what each plugin is told, kept over a restart, and undone backwards', async () => {
  configure(twoPlugins);
  const network = await open();
  expect(await network.add(pod)).toEqual({ addresses: ['10.1.0.2'], details: { ...result, by: 'second' } });
  const added = calls();
  const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=p1;K8S_POD_UID=u1';
  expect(added.lines).toEqual([`first ADD /proc/self/ns/net ${args}`, `second ADD /proc/self/ns/net ${args}`]);
  expect(added.configs).toEqual([
    { type: 'first', cniVersion: '1.1.0', name: 'net' },
    {
      type: 'second',
      key: 1,
      cniVersion: '1.1.0',
      name: 'net',
      runtimeConfig: {
        portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '' }],
        bandwidth: { egressRate: 1_500_000, egressBurst: 2_147_483_647 },
      },
      prevResult: { ...result, by: 'first' },
    },
  ]);
  expect(await failure(network.add(pod))).toBe('AlreadyExists: pod p1 has a network already');
  await network.check('p1');
  const checked = calls();
  expect(checked.names).toEqual(['first CHECK', 'second CHECK']);
  expect(checked.configs[0]).toMatchObject({ prevResult: { by: 'second' } });

  // another configuration, and another life: the pod is undone by what it was made by
  rmSync(file('net.d'), { recursive: true });
  const next = await open();
  expect(next.has('p1')).toBe(true);
  await next.delete('p1');
  const deleted = calls();
  expect(deleted.names).toEqual(['second DEL', 'first DEL']);
  expect(deleted.configs[1]).toEqual({ type: 'first', cniVersion: '1.1.0', name: 'net', prevResult: { ...result, by: 'second' } });
  await next.delete('p1');
  await next.delete('unknown');
  expect(calls().names).toEqual([]);
  expect(await failure(next.check('p1'))).toBe('NotFound: pod p1 has no network');
  expect([readdirSync(file('attachments/pods')), readdirSync(file('attachments/results'))]).toEqual([[], []]);
});

test('a result without its pod, which a deletion that was cut short left, counts for nothing', async () => {
  configure(twoPlugins);
  await (await open()).add(pod);
  rmSync(file('attachments/pods/p1.json'));
  const network = await open();
  expect(network.has('p1')).toBe(false);
  expect((await network.add(pod)).addresses).toEqual(['10.1.0.2']);
  expect(calls().names.filter((name) => name.endsWith('DEL'))).toEqual([]);
});

test.each([
  ['fails', 'echo \'{"code": 11, "msg": "no leader", "details": "yet"}\'; exit 1', 'Unavailable: network plugin second failed (ADD): no leader; yet'],
  ['fails in its own words', 'echo oh no >&2; exit 3', 'Internal: network plugin second failed (ADD): oh no: exit status 3'],
  ['is killed', 'kill -9 $$', 'Internal: network plugin second failed (ADD): SIGKILL'],
  ['says nothing', 'exit 0', 'Internal: network plugin second failed (ADD): it answered nothing'],
  ['says what is no JSON', 'echo "{"; exit 0', 'Internal: network plugin second failed (ADD): it answered what cannot be read: "{"'],
  ['gives no address', 'echo \'{"cniVersion": "1.1.0"}\'; exit 0', 'Internal: network net gave pod p1 no address'],
  ['gives what is no address', 'echo \'{"ips": [{"address": "10.1/8"}, {"address": 7}, null]}\'; exit 0', 'Internal: network net gave pod p1 no address'],
  [
    'gives an address of the machine',
    'echo \'{"interfaces":[{"name":"br0"}],"ips":[{"address":"10.1.0.1/16","interface":0}]}\'; exit 0',
    'Internal: network net gave pod p1 no address',
  ],
  ['floods', 'head -c 8000000 /dev/zero | tr "\\0" x; exit 0', /^Internal: network plugin second failed \(ADD\): it answered what cannot be read: "x+$/],
])('a plugin that %s: all is taken back, and the next attempt has a clean start', async (_, script, message) => {
  configure(twoPlugins);
  const network = await open();
  order('second', 'ADD', script);
  const said = await failure(network.add(pod));
  if (typeof message === 'string') expect(said).toBe(message);
  else expect(said).toMatch(message);
  expect(calls().names).toEqual(['first ADD', 'second ADD', 'second DEL', 'first DEL']);
  expect(network.has('p1')).toBe(false);
  rmSync(file('second-ADD'));
  expect((await network.add(pod)).addresses).toEqual(['10.1.0.2']);
});

test('a plugin that hangs is ended with all that it started, and so is one whose caller leaves', async () => {
  configure(twoPlugins);
  const network = await open([], { timeoutMs: 2_000 });
  order('first', 'ADD', `sleep 1000 & echo $! > ${file('child')}; wait`);
  expect(await failure(network.add(pod))).toBe('DeadlineExceeded: /bin/first did not end within 2000 ms');
  const child = readFileSync(file('child'), 'utf8').trim();
  while (!hasEnded(child)) await Bun.sleep(1);
  expect(network.has('p1')).toBe(false);

  rmSync(file('child'));
  const abort = new AbortController();
  const added = failure((await open()).add(pod, abort.signal));
  while (!existsSync(file('child'))) await Bun.sleep(1);
  abort.abort(new Error('left'));
  expect(await added).toBe('undefined: left');
  expect(calls().names.slice(-2)).toEqual(['second DEL', 'first DEL']);
});

/** The second plugin of a pod waits at its ADD until it is told to go on. */
function holdUp(podId: string): { readonly held: () => Promise<void>; readonly go: () => void } {
  order('second', 'ADD', `[ "$CNI_CONTAINERID" = ${podId} ] && : > ${file('held')} && while [ ! -e ${file('go')} ]; do sleep 0.01; done`);
  const held = async () => {
    while (!existsSync(file('held'))) await Bun.sleep(1);
  };
  return { held, go: () => writeFileSync(file('go'), '') };
}

test('pods are added in turns; who leaves before its own has had nothing', async () => {
  configure(twoPlugins);
  const network = await open([], { atOnce: 1, patienceMs: 60_000 });
  const { held, go } = holdUp('p1');
  const first = network.add(pod);
  await held();
  const abort = new AbortController();
  const leaving = failure(network.add({ ...pod, id: 'p2' }, abort.signal));
  const last = network.add({ ...pod, id: 'p3' });
  abort.abort(new Error('left'));
  expect([await leaving, network.has('p2')]).toEqual(['undefined: left', false]);
  await network.delete('p2');
  go();
  await Promise.all([first, last]);
  const podOf = (line: string) => `${line.split(' ')[0]} ${/CONTAINER_ID=(\w+)/.exec(line)?.[1]}`;
  expect(calls().lines.map(podOf)).toEqual(['first p1', 'second p1', 'first p3', 'second p3']);
});

test('a pod whose plugins take long, or whose network is taken back, holds nobody up', async () => {
  configure(twoPlugins);
  const network = await open([], { atOnce: 1, patienceMs: 1 });
  const { held, go } = holdUp('p1');
  const first = network.add(pod);
  await held();
  await network.add({ ...pod, id: 'p2' });
  await network.delete('p2');
  expect(network.has('p2')).toBe(false);
  go();
  expect((await first).addresses).toEqual(['10.1.0.2']);
});

test('what cannot be taken back stays known, over a restart too, until it can', async () => {
  configure(twoPlugins);
  const warnings: string[] = [];
  const network = await open(warnings);
  order('second', 'ADD', 'exit 1');
  order('second', 'DEL', 'exit 1');
  expect(await failure(network.add(pod))).toBe('Internal: network plugin second failed (ADD): exit status 1');
  expect(warnings).toEqual(['what pod p1 had of network net is left to a deletion']);
  // the others give back what they have nevertheless
  expect(calls().names).toEqual(['first ADD', 'second ADD', 'second DEL', 'first DEL']);
  const next = await open();
  expect(await failure(next.delete('p1'))).toBe('Internal: network plugin second failed (DEL): exit status 1');
  rmSync(file('second-DEL'));
  await next.gc(new Set());
  expect(next.has('p1')).toBe(false);
});

test('the namespace is not named to DEL once it is gone', async () => {
  configure(twoPlugins);
  const network = await open();
  writeFileSync(file('netns'), '');
  await network.add({ ...pod, netns: file('netns') });
  rmSync(file('netns'));
  calls();
  await network.delete('p1');
  expect(calls().lines[0]).toStartWith('second DEL  IgnoreUnknown=1;');
});

test('garbage: pods that are gone are undone, and plugins of 1.1 hear of those that are not', async () => {
  configure(twoPlugins);
  const network = await open();
  await network.add(pod);
  await network.add({ ...pod, id: 'p2' });
  calls();
  await network.gc(new Set(['p2']));
  const seen = calls();
  expect(seen.names).toEqual(['second DEL', 'first DEL', 'first GC', 'second GC']);
  expect(seen.configs[2]).toMatchObject({ 'cni.dev/valid-attachments': [{ containerID: 'p2', ifname: 'eth0' }] });
  expect(seen.lines[2]).toBe('first GC none ');
  configure({ ...twoPlugins, disableGC: true });
  await network.gc(new Set());
  expect(calls().names).toEqual(['second DEL', 'first DEL']);
});

test('status follows the directory and the plugins', async () => {
  const network = await open();
  const state = async () => {
    const { ready, message } = await network.status();
    return [ready, message.replaceAll(directory, '')];
  };
  expect(network.isConfigured()).toBe(false);
  expect(await state()).toEqual([false, 'no network configuration in /net.d']);
  expect(await failure(network.add(pod))).toBe('Unavailable: no network configuration in /net.d');
  configure(twoPlugins);
  expect(await state()).toEqual([true, 'network net: first, second']);
  order('second', 'STATUS', 'echo \'{"code": 50, "msg": "no addresses left"}\'; exit 1');
  expect(await state()).toEqual([false, 'network plugin second failed (STATUS): no addresses left']);
  // an older network has no such verb
  configure({ ...twoPlugins, cniVersion: '1.0.0' });
  expect(await state()).toEqual([true, 'network net: first, second']);
  configure({ cniVersion: '0.3.1', name: 'one', type: 'missing' }, '05-one.conf');
  expect(await state()).toEqual([false, 'network plugin missing is not in /nowhere, /bin']);
  // a wrong file is not passed over
  writeFileSync(file('net.d/05-one.conf'), '{');
  expect(await state()).toEqual([false, 'network configuration /net.d/05-one.conf: it is no JSON']);
  expect(network.isConfigured()).toBe(true);
});

test('a pod that cannot be told to plugins is refused before anything is kept', async () => {
  configure(twoPlugins);
  const network = await open();
  expect(await failure(network.add({ ...pod, name: 'a;b=c' }))).toBe('InvalidArgument: invalid pod "a;b=c": it has a ; or =');
  expect(await failure(network.add({ ...pod, id: '../x' }))).toBe('InvalidArgument: invalid pod id "../x"');
  expect(await failure(network.add({ ...pod, annotations: { 'kubernetes.io/ingress-bandwidth': '1' } }))).toStartWith('InvalidArgument: invalid annotation');
  expect(calls().names).toEqual([]);
  expect(existsSync(file('attachments'))).toBe(false);
});
