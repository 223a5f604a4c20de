/** Containers and pods of `strake cri` saved with criu, and a pod that goes on as another one. */
import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { criContainer, criLinux } from '../../src/api/cri/index.ts';
import { busybox } from '../e2e/steps/step.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';

const caseMs = 600_000;
const { ContainerState } = criContainer;
const linux = { securityContext: { namespaceOptions: { pid: criLinux.NamespaceMode.CONTAINER } } };

test(
  'the processes of a pod go on in another one, with their files; those that were saved go on, too',
  async () => {
    await using peers = await PeerWorld.start();
    await startRegistry(peers);
    await using cri = await Cri.startInPeerRoot(peers);
    await cri.images.pullImage({ image: { image: busybox } });
    const { work } = peers.world;
    const [first, second, saved] = ['first', 'second', 'saved'].map((name) => join(work, name)) as [string, string, string];
    const pod = await cri.runPod({ logDirectory: first, linux });
    const config = { metadata: { name: 'counter' }, image: { image: busybox }, logPath: 'log', linux };
    const { id } = await cri.startContainer(pod, {
      ...config,
      // Seldom a new process: one that is made while v1 freezes may slip through until FROZEN is written anew, for which criu waits in vain.
      command: ['sh', '-c', 'echo of the first > /note; i=0; while :; do i=$((i+1)); echo $i; usleep 200000; done'],
    });
    const numbers = (directory: string): readonly number[] =>
      (existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'utf8').trim().split('\n') : []).map((line) => Number(line.split(' ')[3]));
    await until('some numbers', () => numbers(first).length > 3);

    await cri.runtime.checkpointContainer({ containerId: id, location: `${saved}.tar` });
    const listed = (await peers.output(['tar', 'tf', `${saved}.tar`])).split('\n');
    for (const name of ['checkpoint/inventory.img', 'config.dump', 'spec.dump', 'rootfs-diff.tar', 'container.log']) expect(listed).toContain(name);
    const before = numbers(first).length;
    await until('it to go on', () => numbers(first).length > before);

    mkdirSync(saved);
    await expect(cri.runtime.checkpointPod({ podSandboxId: pod, outputPath: saved, containerIds: [id, id] })).rejects.toThrow('a container is named twice');
    expect(readdirSync(saved)).toEqual([]);
    await cri.runtime.checkpointPod({ podSandboxId: pod, outputPath: saved, containerIds: [id] });
    await cri.runtime.removePodSandbox({ podSandboxId: pod });
    const end = numbers(first).at(-1) ?? 0;

    const podConfig = { metadata: { name: 'again', namespace: 'default', uid: 'again' }, logDirectory: second, linux };
    const restore = async (name: string) =>
      await cri.runtime.restorePod({ checkpointPath: saved, config: podConfig, containerConfigs: [{ ...config, metadata: { name }, command: ['false'] }] });
    await expect(restore('another')).rejects.toThrow('the checkpoint has the containers counter, not another');
    const { podSandboxId, restoredContainers } = await restore('counter');
    const [container = { name: '', containerId: '' }] = restoredContainers;
    expect(container.name).toBe('counter');
    const { containerId } = container;
    expect((await cri.runtime.containerStatus({ containerId })).status?.state).toBe(ContainerState.CONTAINER_CREATED);
    await cri.runtime.startContainer({ containerId });
    await until('it to go on', () => numbers(second).length > 2);
    const [next = 0] = numbers(second);
    expect([next > 3, next <= end + 1]).toEqual([true, true]);
    expect(await cri.exec(containerId, 'cat', '/note')).toBe('of the first');
    await cri.runtime.removePodSandbox({ podSandboxId });
    expect(peers.world.pids().some((pid) => peers.world.commandLine(pid).includes('usleep'))).toBe(false);
  },
  caseMs,
);
