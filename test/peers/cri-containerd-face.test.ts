/** What ctr sees of the pods of `strake cri`, in the namespace k8s.io. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { busybox } from '../e2e/steps/step.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { PeerWorld } from '../lib/peer-world.ts';

test('ctr sees sandboxes, containers, tasks, images and snapshots, and runs a command in a container; the daemon that comes next has them, too', async () => {
  await using peers = await PeerWorld.start();
  await startRegistry(peers);
  const address = join(peers.world.work, 'containerd.sock');
  await using cri = await Cri.startInPeerRoot(peers, ['--containerd-address', address]);
  await cri.images.pullImage({ image: { image: busybox } });
  const pod = await cri.runPod();
  const { id, pid } = await cri.startContainer(pod, { image: { image: busybox }, command: ['sleep', '1000'] });
  const ctr = async (...argv: readonly string[]) => await peers.output(['ctr', '--address', address, '-n', 'k8s.io', ...argv]);
  const look = async () => {
    expect(await ctr('sandboxes', 'ls')).toContain(pod);
    expect(await ctr('containers', 'info', id)).toContain('"io.cri-containerd.kind": "container"');
    expect(await ctr('tasks', 'ls')).toMatch(new RegExp(`^${id}\\s+${pid}\\s+RUNNING$`, 'm'));
    expect(await ctr('images', 'ls', '-q')).toContain(busybox);
    expect(await ctr('snapshots', 'ls')).toMatch(new RegExp(`^${id}\\s+sha256:\\S+\\s+Active`, 'm'));
    expect((await ctr('tasks', 'exec', '--exec-id', `e${Math.random()}`, id, 'cat', '/proc/self/cgroup')).trim()).toContain(id);
  };
  await look();
  await cri.killDaemon();
  await cri.startDaemon();
  await look();
  await cri.runtime.removePodSandbox({ podSandboxId: pod });
  expect(await ctr('tasks', 'ls', '-q')).not.toContain(id);
  expect(await ctr('containers', 'ls', '-q')).toBe('');
}, 600_000);
