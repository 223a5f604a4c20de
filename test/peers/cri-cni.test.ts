/** CNI plugins that fail, hang or lie, below pods of `strake cri`: what they had been given is given back, the pod can be tried again, and removed. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criContainer, criPod } from '../../src/api/cri/index.ts';
import { busybox } from '../e2e/steps/step.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { idleSnapshot, kernelSnapshot, leaksSince } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';

const { ContainerState } = criContainer;
const { PodSandboxState } = criPod;
const setupMs = 600_000;
const chain = (dataDir: string) => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    { type: 'bridge', bridge: 'cni78', isGateway: true, ipam: { type: 'host-local', ranges: [[{ subnet: '10.78.0.0/24' }]], dataDir } },
    { type: 'odd' },
  ],
});

let peers: PeerWorld;
let cri: Cri;

const file = (...parts: readonly string[]) => join(peers.world.work, ...parts);
/** The plugin after the bridge does this for a verb, and else what a plugin should. */
const order = (verb: string, script: string) => writeFileSync(file(`odd-${verb}`), script);
const obey = () => {
  for (const verb of ['ADD', 'DEL']) rmSync(file(`odd-${verb}`), { force: true });
};
const addresses = (): readonly string[] => (existsSync(file('ipam/pods')) ? readdirSync(file('ipam/pods')).filter((name) => /^10\./.test(name)) : []);
const links = (): readonly string[] => (kernelSnapshot(peers.world)['link'] ?? []).filter((name) => name.startsWith('veth'));
const refusal = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: Error) => error.message,
  );
const metadata = { name: 'web', namespace: 'default', uid: 'u1', attempt: 0 };

/** A pod of the name comes up, has an address, and leaves none. */
async function comesUp(): Promise<void> {
  const podSandboxId = await cri.runPod({ metadata });
  const { status } = await cri.runtime.podSandboxStatus({ podSandboxId });
  expect(addresses()).toEqual([status?.network?.ip ?? 'none']);
  await cri.runtime.stopPodSandbox({ podSandboxId });
  await cri.runtime.removePodSandbox({ podSandboxId });
  expect(addresses()).toEqual([]);
}

beforeAll(async () => {
  peers = await PeerWorld.start();
  for (const name of ['net.d', 'bin']) mkdirSync(file(name));
  writeFileSync(file('net.d/10-pods.conflist'), JSON.stringify(chain(file('ipam'))));
  writeFileSync(
    file('bin/odd'),
    `#!/bin/sh
config=$(cat)
orders=${file('odd-')}$CNI_COMMAND
if [ -e "$orders" ]; then . "$orders"; fi
if [ "$CNI_COMMAND" = ADD ]; then echo "$config" | sed 's/.*"prevResult"://; s/}$//'; fi
`,
  );
  chmodSync(file('bin/odd'), 0o755);
  const flags = ['--pod-network', 'cni', '--cni-config-dir', file('net.d'), '--cni-bin-dir', file('bin'), '--cni-bin-dir', '/usr/lib/cni'];
  cri = await Cri.startInPeerRoot(peers, flags);
  await startRegistry(peers);
  await cri.images.pullImage({ image: { image: busybox } });
  // The first makes the bridge, which stays.
  await comesUp();
}, setupMs);

afterAll(async () => {
  await cri?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

test.each([
  ['fails', `echo '{"cniVersion":"1.0.0","code":11,"msg":"no room at the inn"}'; exit 1`, 'no room at the inn'],
  ['dies', 'kill -9 $$', 'odd'],
  ['answers with what is no result', 'echo "all is well"; exit 0', 'odd'],
  ['says nothing', 'exit 0', 'odd'],
])('a plugin that %s: no pod, no address, no link; the next try comes up', async (_, script, told) => {
  const before = await idleSnapshot(peers);
  order('ADD', script);
  expect(await refusal(cri.runPod({ metadata }))).toContain(told);
  expect(addresses()).toEqual([]);
  expect((await cri.runtime.listPodSandbox({})).items).toEqual([]);
  expect(await leaksSince(before, peers)).toEqual([]);
  obey();
  await comesUp();
});

test('a plugin that hangs: who asked may leave, and what was given goes back', async () => {
  order('ADD', `: > ${file('hangs')}; exec sleep 1000`);
  const controller = new AbortController();
  const asked = refusal(cri.runtime.runPodSandbox({ config: { metadata } }, { signal: controller.signal }));
  await until('the plugin to hang', () => existsSync(file('hangs')));
  expect(addresses()).toHaveLength(1);
  controller.abort();
  expect(await asked).not.toBe('done');
  await until('the address to be given back', () => addresses().length === 0 && links().length === 0);
  obey();
  // Who left does not hear when the rest of it is done, and tries again meanwhile.
  const told = await until('the name to be given back', async () => {
    const answer = await refusal(comesUp());
    return answer.includes('is reserved for') ? undefined : answer;
  });
  expect(told).toBe('done');
});

test('a plugin that takes long to let go: what ran in the pod is killed before, and its end is told meanwhile', async () => {
  const podSandboxId = await cri.runPod({ metadata });
  const { id: containerId } = await cri.startContainer(podSandboxId, { image: { image: busybox }, command: ['sleep', '1000'] });
  order('DEL', `[ -e "$CNI_NETNS" ] && : > ${file('lets-go-late')}; while [ ! -e ${file('now')} ]; do sleep 0.01; done`);
  const stopped = refusal(cri.runtime.stopPodSandbox({ podSandboxId }));
  await until('the plugin to be asked', () => existsSync(file('lets-go-late')));
  await until('the end to be told', async () => (await cri.runtime.containerStatus({ containerId })).status?.state === ContainerState.CONTAINER_EXITED);
  expect((await cri.runtime.podSandboxStatus({ podSandboxId })).status?.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  expect(addresses()).toHaveLength(1);
  writeFileSync(file('now'), '');
  expect(await stopped).toBe('done');
  obey();
  await cri.runtime.removePodSandbox({ podSandboxId });
  expect([addresses(), links()]).toEqual([[], []]);
});

test('a plugin that does not let go: the pod can be stopped and removed once it does', async () => {
  const podSandboxId = await cri.runPod({ metadata });
  order('DEL', `echo '{"cniVersion":"1.0.0","code":11,"msg":"not yet"}'; exit 1`);
  expect(await refusal(cri.runtime.stopPodSandbox({ podSandboxId }))).toContain('not yet');
  expect((await cri.runtime.listPodSandbox({})).items.map(({ id }) => id)).toEqual([podSandboxId]);
  obey();
  await cri.runtime.stopPodSandbox({ podSandboxId });
  await cri.runtime.removePodSandbox({ podSandboxId });
  expect([addresses(), links()]).toEqual([[], []]);
  await comesUp();
});
