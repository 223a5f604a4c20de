/** Pods of `strake cri` whose runtime class is a shim of containerd's interface: the real containerd-shim-runc-v2, and ours. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { criContainer, criLinux, criPod } from '../../src/api/cri/index.ts';
import { busybox } from '../e2e/steps/step.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { outliveDaemon } from '../lib/cri-kill.ts';
import { leaks, type Snapshot, settledLeaks, snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const caseMs = 60_000;
const { NamespaceMode: Mode } = criLinux;
const { ContainerState } = criContainer;

let peers: PeerWorld;
let cri: Cri;
let logs: string;
let pods = 0;

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  logs = join(peers.world.work, 'logs');
  const runtimes = { runc: 'io.containerd.runc.v2', ours: '/strake/containerd-shim-strake-v2', none: 'io.containerd.none.v9', broken: brokenShim() };
  const flags = Object.entries(runtimes).flatMap(([name, runtime]) => ['--runtime', `${name}=${runtime}`]);
  cri = await Cri.startInPeerRoot(peers, [...flags, '--containerd-address', join(peers.world.work, 'containerd.sock')]);
  await cri.images.pullImage({ image: { image: busybox } });
}, setupMs);

afterAll(async () => {
  await cri?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

const runPod = async (runtimeHandler: string): Promise<string> => {
  const name = `pod-${++pods}`;
  const config = { metadata: { name, namespace: 'default', uid: name, attempt: 0 }, logDirectory: logs };
  return (await cri.runtime.runPodSandbox({ config, runtimeHandler })).podSandboxId;
};
const container = (script: string, more: object = {}) => ({
  image: { image: busybox },
  command: ['sh', '-c', script],
  linux: { securityContext: { namespaceOptions: { pid: Mode.CONTAINER } } },
  ...more,
});
/** Nothing of a file that is not there. */
const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const log = (name: string): string => textOf(join(logs, name));
const parentOf = (pid: number): number => Number(peers.world.status(pid, 'PPid'));
const pauseOf = async (podSandboxId: string): Promise<number> =>
  (JSON.parse((await cri.runtime.podSandboxStatus({ podSandboxId, verbose: true })).info['info'] ?? '{}') as { readonly pid: number }).pid;
const ctr = async (...argv: readonly string[]) => await peers.output(['ctr', '--address', join(peers.world.work, 'containerd.sock'), '-n', 'k8s.io', ...argv]);
/** Of `strake chain`. */
const seams = async (id: string): Promise<readonly string[]> =>
  (JSON.parse(await peers.output(['/strake/strake', 'chain', '--cri', cri.socket, '--json', id])) as readonly { readonly seam: string }[]).map(
    ({ seam }) => seam,
  );

/** With what a shim had, beside what the kernel holds. */
const trees = () => [join(cri.state, 'cri'), join(cri.state, 'namespaces'), join(cri.root, 'snapshots'), join(cri.root, 'cri'), '/run/containerd'];
const look = async (): Promise<Snapshot> => await snapshot(peers, { trees: trees(), ignore: /pause-root|\/removed-|cri\/network/ });
/** What has ended is on its way out still: links, and the shim that is told to end. */
const settled = async (): Promise<Snapshot> =>
  await until('nothing to go any more', async () => {
    const seen = await look();
    const isSettled =
      !(seen['link'] ?? []).some((name) => name.startsWith('veth')) &&
      (seen['process'] ?? []).every((line) => !/containerd-shim-runc|\/pause|\btrue\b/.test(line));
    return isSettled && leaks(seen, await look()).filter((line) => !isExpected(line)).length === 0 ? seen : undefined;
  });
/** Our shim serves all pods, and stays for some seconds after the last; another daemon has another pid. */
const isExpected = (line: string) =>
  /^(process|socket) (gained|lost): .*(containerd-shim -namespace|strake-init zygote|\/run\/strake\/shim\/|strake cri |zygote\.sock|cri\.sock|containerd\.sock|shims\/events)|^socket (gained|lost): tcp /.test(
    line,
  );

describe.each(['runc', 'ours'])('%s', (handler) => {
  let before: Snapshot;

  beforeAll(async () => {
    const first = await runPod(handler);
    await cri.startContainer(first, container('true'));
    await cri.removePod(first);
    before = await settled();
  }, caseMs);

  test(
    'a pod is of one shim; its containers log, rotate, run commands, have figures and limits, and end; nothing is left',
    async () => {
      const pod = await runPod(handler);
      const script = 'echo out; echo err >&2; trap "exit 3" TERM; while :; do echo line; sleep 0.02; done';
      const { id, pid } = await cri.startContainer(pod, container(script, { logPath: `${handler}.log` }));
      // Ours has a monitor between.
      const shimOf = handler === 'runc' ? parentOf : (of: number) => parentOf(parentOf(of));
      expect([shimOf(pid), parentOf(pid) === cri.daemon.innerPid]).toEqual([shimOf(await pauseOf(pod)), false]);
      expect(await cri.exec(id, 'sh', '-c', 'echo no >&2; exit 9')).toBe('no\nexit 9');
      await until('both lines', () => /stdout F out$/m.test(log(`${handler}.log`)) && /^\d{4}-\S+ stderr F err$/m.test(log(`${handler}.log`)));
      renameSync(join(logs, `${handler}.log`), join(logs, `${handler}.log.1`));
      await cri.runtime.reopenContainerLog({ containerId: id });
      await until('the new log', () => /^\d{4}-\S+ stdout F line$/m.test(log(`${handler}.log`)));
      await cri.runtime.updateContainerResources({ containerId: id, linux: { memoryLimitInBytes: BigInt(64 << 20) } });
      const path = /^\d+:(?:memory|):(\S+)$/m.exec(peers.world.proc(pid, 'cgroup'))?.[1] ?? '';
      const limits = [`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`, `/sys/fs/cgroup${path}/memory.max`].map(textOf);
      expect(limits.filter((text) => text !== '')).toEqual([`${64 << 20}\n`]);
      // More than there is: the container goes on, and says what it has lost.
      expect(await cri.exec(id, 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M')).toBe('exit 137');
      await until('the killer to be reported', async () => (await cri.status(id))?.reason === 'OOMKilled');
      const { stats } = await cri.runtime.containerStats({ containerId: id });
      expect([(stats?.cpu?.usageCoreNanoSeconds?.value ?? 0n) > 0n, (stats?.memory?.workingSetBytes?.value ?? 0n) > 0n]).toEqual([true, true]);
      expect(await seams(id)).toEqual(handler === 'runc' ? ['cri', 'runtime', 'shim', 'process'] : ['cri', 'runtime', 'shim', 'zygote', 'monitor', 'process']);
      expect(await ctr('tasks', 'ls')).toMatch(new RegExp(`^${id}\\s+${pid}\\s+RUNNING$`, 'm'));
      expect((await ctr('tasks', 'exec', '--exec-id', 'second', id, 'cat', '/proc/self/cgroup')).trim()).toContain(id);
      await cri.runtime.stopContainer({ containerId: id, timeout: 10n });
      const ended = await cri.status(id);
      expect([ended?.state, ended?.exitCode, ended?.reason]).toEqual([ContainerState.CONTAINER_EXITED, 3, 'OOMKilled']);
      await cri.removePod(pod);
      expect(await settledLeaks(before, look, isExpected)).toEqual([]);
    },
    caseMs,
  );

  test(
    'a command that does not exist fails the start in the words of the runtime, and leaves no task',
    async () => {
      const pod = await runPod(handler);
      const containerId = await cri.createContainer(pod, { ...container(''), command: ['/not-there'] });
      await expect(cri.runtime.startContainer({ containerId })).rejects.toThrow(/exec.*\/not-there.*no such file or directory/);
      expect([(await cri.status(containerId))?.exitCode, (await cri.status(containerId))?.reason]).toEqual([128, 'StartError']);
      await cri.removePod(pod);
      expect(await settledLeaks(before, look, isExpected)).toEqual([]);
    },
    caseMs,
  );

  test(
    'kill -9 of the daemon: what runs keeps its pid, its log and its exit code; what ended meanwhile is told; what was half made goes',
    async () => {
      const pod = await runPod(handler);
      const numbers = await outliveDaemon(cri, {
        pod,
        shell: container,
        log: { path: `${handler}-on.log`, file: join(logs, `${handler}-on.log`) },
        begin: async () => {
          const pauses = pauseProcesses();
          const half = runPod(handler).catch(() => undefined);
          await until('the pod to have a process', () => pauseProcesses() > pauses);
          return { half };
        },
      });
      // In order, none twice; what the daemon had read and not written when it was killed is lost, at most once.
      const steps = numbers.map((value, index) => value - (numbers[index - 1] ?? 0));
      expect([Math.min(...steps), steps.filter((step) => step > 1).length <= 1]).toEqual([1, true]);
      expect(await settledLeaks(before, look, isExpected)).toEqual([]);
    },
    caseMs,
  );

  test(
    'kill -9 of the shim ends what it held, with 137, and the pod is not ready any more; nothing is left',
    async () => {
      const pod = await runPod(handler);
      const { id, pid } = await cri.startContainer(pod, container('sleep 1000'));
      const shim = handler === 'runc' ? parentOf(pid) : shimOfOurs();
      await peers.output(['kill', '-9', String(shim)]);
      expect((await cri.exited(id)).exitCode).toBe(137);
      await until(
        'the pod not to be ready',
        async () => (await cri.runtime.podSandboxStatus({ podSandboxId: pod })).status?.state === criPod.PodSandboxState.SANDBOX_NOTREADY,
      );
      expect(peers.world.alive(pid)).toBe(false);
      await cri.removePod(pod);
      expect(await settledLeaks(before, look, isExpected)).toEqual([]);
    },
    caseMs,
  );
});

test(
  'a shim that does not answer while the daemon starts loses no container',
  async () => {
    const pod = await runPod('runc');
    const { id, pid } = await cri.startContainer(pod, container('sleep 1000'));
    const shim = String(parentOf(pid));
    await cri.killDaemon();
    await peers.output(['kill', '-STOP', shim]);
    await cri.startDaemon();
    await peers.output(['kill', '-CONT', shim]);
    expect([(await cri.status(id))?.state, await cri.pidOf(id)]).toEqual([ContainerState.CONTAINER_RUNNING, pid]);
    expect(await cri.exec(id, 'echo', 'here')).toBe('here');
    await cri.removePod(pod);
    expect(peers.world.alive(pid)).toBe(false);
  },
  caseMs,
);

/** One that ends as a program of Go does that panics. */
function brokenShim(): string {
  const file = join(peers.world.work, 'containerd-shim-broken-v1');
  writeFileSync(file, '#!/bin/sh\necho "panic: no kernel of its own" >&2\nexit 2\n', { mode: 0o755 });
  return file;
}

function pauseProcesses(): number {
  return peers.world.pids().filter((pid) => peers.world.commandLine(pid).startsWith('/pause\0')).length;
}

function shimOfOurs(): number | undefined {
  return peers.world.pids().find((pid) => peers.world.commandLine(pid).includes('containerd-shim\x00-namespace'));
}

test('what a handler can do is what its shim says; pods of one that is not there, or does not start, are refused in its words, and nothing of them is left', async () => {
  const { runtimeHandlers } = await cri.runtime.status({});
  const features = runtimeHandlers.map(({ name, features: told }) => [name, told?.recursiveReadOnlyMounts, told?.userNamespaces]);
  expect(features).toEqual([
    ['', true, true],
    ['strake', true, true],
    ['runc', true, true],
    ['ours', true, true],
    ['none', false, false],
    ['broken', false, false],
  ]);
  const before = await settled();
  await expect(runPod('none')).rejects.toThrow('containerd-shim-none-v9 is not in PATH');
  await expect(runPod('broken')).rejects.toThrow(/failed to start shim: panic: no kernel of its own/);
  expect(await settledLeaks(before, look, isExpected)).toEqual([]);
}, 60_000);
