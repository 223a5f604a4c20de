/** `strake cri` as a kubelet uses it: whole pods with their effects in the kernel, what they share, and what a kill -9 of the daemon leaves of them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { criContainer, criLinux, criPod, criRuntime } from '../../src/api/cri/index.ts';
import { startRegistry } from '../fixtures/registry.ts';
import { Cri } from '../lib/cri.ts';
import { outliveDaemon } from '../lib/cri-kill.ts';
import { strakeBinary } from '../lib/engine.ts';
import { kernelSnapshot, leaks, type Snapshot, settledLeaks } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 60_000;
const { NamespaceMode: Mode } = criLinux;
const { ContainerState } = criContainer;
const { ContainerEventType: Event } = criRuntime;
/** The kubelet makes it, and takes it away. */
const cgroupParent = '/kubepods/pod-1';

let peers: PeerWorld;
let cri: Cri;
let before: Snapshot;

const container = (...command: readonly string[]) => ({
  image: { image: busybox },
  command: [...command],
  linux: { securityContext: { namespaceOptions: { pid: Mode.CONTAINER } } },
});
const ns = (pid: number, type: string): string => readlinkSync(cri.world.procPath(pid, 'ns', type));
const daemonNs = (type: string): string => readlinkSync(`/proc/${cri.daemon.innerPid}/ns/${type}`);
const look = async (): Promise<Snapshot> =>
  kernelSnapshot(cri.world, { trees: [join(cri.state, 'cri'), join(cri.state, 'namespaces'), join(cri.root, 'snapshots')], ignore: /pause-root|\/removed-/ });
/** Another daemon has another pid, and so has its zygote. */
const isDaemons = (line: string) => /^process (gained|lost): .*(strake cri|strake-init zygote)|zygote\.sock$|^socket (gained|lost): tcp /.test(line);

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  cri = await Cri.start(peers.world);
  await cri.images.pullImage({ image: { image: busybox } });
  for (const linux of [{ cgroupParent }, {}]) {
    const first = await cri.runPod({ linux });
    await cri.startContainer(first, container('true'));
    await cri.removePod(first);
  }
  // What has ended is on its way out still: the kernel takes links and namespaces apart at leisure.
  before = await until('nothing to go any more', async () => {
    const seen = await look();
    const isSettled =
      !(seen['link'] ?? []).some((name) => name.startsWith('veth')) && (seen['process'] ?? []).every((line) => !/strake-init run|sleep|\btrue\b/.test(line));
    return isSettled && leaks(seen, await look()).length === 0 ? seen : undefined;
  });
}, setupMs);

afterAll(async () => {
  await cri?.[Symbol.asyncDispose]();
  await peers?.[Symbol.asyncDispose]();
}, setupMs);

test(
  'a whole pod: its namespaces are kept without a process, its container logs, runs commands and ends; nothing is left',
  async () => {
    const logs = join(cri.world.work, 'logs');
    const controller = new AbortController();
    const events: string[] = [];
    const listening = (async () => {
      for await (const { containerId, containerEventType } of cri.runtime.getContainerEvents({}, { signal: controller.signal }))
        events.push(`${containerId} ${containerEventType}`);
    })().catch(() => undefined);
    const known = new Set(cri.world.pids());
    const pod = await cri.runPod({
      hostname: 'a-pod',
      logDirectory: logs,
      linux: { cgroupParent, sysctls: { 'net.ipv4.ip_forward': '1' } },
    });
    // Those that made it are on their way out.
    await until('no process of the pod to be left', () => cri.world.pids().every((pid) => known.has(pid)));
    const { status } = await cri.runtime.podSandboxStatus({ podSandboxId: pod });
    expect([status?.state, status?.metadata?.name]).toEqual([criPod.PodSandboxState.SANDBOX_READY, expect.stringMatching(/^pod-/)]);
    const address = status?.network?.ip ?? '';
    const { id, pid } = await cri.startContainer(pod, {
      ...container('sh', '-c', 'echo out; echo err >&2; trap "exit 3" TERM; while :; do sleep 0.05; done'),
      logPath: 'c/0.log',
      envs: [{ key: 'A', value: Buffer.from('b') }],
    });
    expect([ns(pid, 'net') === daemonNs('net'), ns(pid, 'pid') === daemonNs('pid')]).toEqual([false, false]);
    expect(cri.world.proc(pid, 'cgroup')).toContain(`${cgroupParent}/${id}`);
    expect(await cri.exec(id, 'sh', '-c', 'hostname; echo $A; cat /proc/sys/net/ipv4/ip_forward; ip -o -4 addr show eth0')).toMatch(
      new RegExp(`^a-pod\nb\n1\n.* ${address.replaceAll('.', '\\.')}/`),
    );
    expect(await cri.exec(id, 'sh', '-c', 'echo no >&2; exit 9')).toBe('no\nexit 9');
    for (const about of [id, pod]) {
      const links: readonly { readonly seam: string; readonly sockets: readonly string[] }[] = JSON.parse(
        await cri.world.output([strakeBinary, 'chain', '--cri', cri.socket, '--json', about]),
      );
      expect(links.map(({ seam }) => seam)).toEqual(['cri', 'runtime', 'zygote', 'monitor', 'process']);
      expect(links[0]?.sockets).toEqual([cri.socket]);
    }
    const log = await until('both lines', () => {
      const text = readFileSync(join(logs, 'c/0.log'), 'utf8');
      return text.split('\n').length > 2 ? text : undefined;
    });
    expect(log).toMatch(/^\d{4}-\S+ stdout F out$/m);
    expect(log).toMatch(/^\d{4}-\S+ stderr F err$/m);
    await cri.runtime.stopContainer({ containerId: id, timeout: 10n });
    const ended = await cri.status(id);
    expect([ended?.state, ended?.exitCode, ended?.reason, (ended?.finishedAt ?? 0n) > (ended?.startedAt ?? 0n)]).toEqual([
      ContainerState.CONTAINER_EXITED,
      3,
      'Error',
      true,
    ]);
    await cri.runtime.removeContainer({ containerId: id });
    await cri.removePod(pod);
    await cri.removePod(pod);
    expect((await cri.runtime.listPodSandbox({})).items).toEqual([]);
    await until('all events', () => events.length >= 8);
    controller.abort();
    await listening;
    expect(events).toEqual([
      ...[Event.CONTAINER_CREATED_EVENT, Event.CONTAINER_STARTED_EVENT].map((type) => `${pod} ${type}`),
      ...[Event.CONTAINER_CREATED_EVENT, Event.CONTAINER_STARTED_EVENT, Event.CONTAINER_STOPPED_EVENT, Event.CONTAINER_DELETED_EVENT].map(
        (type) => `${id} ${type}`,
      ),
      ...[Event.CONTAINER_STOPPED_EVENT, Event.CONTAINER_DELETED_EVENT].map((type) => `${pod} ${type}`),
    ]);
    expect(await settledLeaks(before, look)).toEqual([]);
  },
  caseMs,
);

describe('what is shared', () => {
  test(
    'containers of a pod: network, host name and /dev/shm; processes when they ask for it, with strake-init as the first',
    async () => {
      const pod = await cri.runPod();
      const sharing = { ...container('sleep', '1000'), linux: {} };
      const one = await cri.startContainer(pod, sharing);
      const two = await cri.startContainer(pod, sharing);
      for (const type of ['net', 'ipc', 'uts', 'pid']) expect(ns(one.pid, type)).toBe(ns(two.pid, type));
      expect(await cri.exec(one.id, 'sh', '-c', 'echo here > /dev/shm/note; cat /proc/1/cmdline | tr "\\0" " "; ls /proc | grep -c "^[0-9]"')).toMatch(
        /^\/pause pause [4-9]$/,
      );
      expect(await cri.exec(two.id, 'cat', '/dev/shm/note')).toBe('here');
      const seeing = await cri.startContainer(pod, {
        ...container('sleep', '1000'),
        linux: { securityContext: { namespaceOptions: { pid: Mode.TARGET, targetId: one.id } } },
      });
      expect(ns(seeing.pid, 'pid')).toBe(ns(one.pid, 'pid'));
      await cri.removePod(pod);
      expect(await settledLeaks(before, look)).toEqual([]);
    },
    caseMs,
  );

  test(
    'the machine’s own namespaces',
    async () => {
      const host = { network: Mode.NODE, pid: Mode.NODE, ipc: Mode.NODE };
      const pod = await cri.runPod({ linux: { securityContext: { namespaceOptions: host } } });
      const { pid } = await cri.startContainer(pod, { ...container('sleep', '1000'), linux: { securityContext: { namespaceOptions: host } } });
      for (const type of ['net', 'ipc', 'uts', 'pid']) expect(ns(pid, type)).toBe(daemonNs(type));
      await cri.removePod(pod);
      expect(await settledLeaks(before, look)).toEqual([]);
    },
    caseMs,
  );

  test(
    'a user namespace, of which the other namespaces are, too',
    async () => {
      const ids = [{ hostId: 100_000, containerId: 0, length: 65_536 }];
      const namespaceOptions = { pid: Mode.CONTAINER, usernsOptions: { mode: Mode.POD, uids: ids, gids: ids } };
      const pod = await cri.runPod({ hostname: 'mapped', linux: { securityContext: { namespaceOptions } } });
      const { id, pid } = await cri.startContainer(pod, { ...container('sleep', '1000'), linux: { securityContext: { namespaceOptions } } });
      expect(cri.world.proc(pid, 'uid_map').trim().split(/\s+/)).toEqual(['0', '100000', '65536']);
      expect(cri.world.status(pid, 'Uid')).toMatch(/^100000\s/);
      expect(await cri.exec(id, 'sh', '-c', 'hostname; id -u; stat -c %u /bin/busybox; touch /made && stat -c %u /made; hostname changed && hostname')).toBe(
        'mapped\n0\n0\n0\nhostname: sethostname: Operation not permitted\nexit 1',
      );
      // The pod's own process, which has made them all: without it there is no pod.
      const pause = (JSON.parse((await cri.runtime.podSandboxStatus({ podSandboxId: pod, verbose: true })).info['info'] ?? '{}') as { readonly pid: number })
        .pid;
      await cri.world.output(['kill', '-9', String(pause)]);
      await until(
        'the pod not to be ready',
        async () => (await cri.runtime.podSandboxStatus({ podSandboxId: pod })).status?.state === criPod.PodSandboxState.SANDBOX_NOTREADY,
      );
      await expect(cri.createContainer(pod, container('true'))).rejects.toThrow('is not running');
      await cri.removePod(pod);
      expect(await settledLeaks(before, look)).toEqual([]);
    },
    caseMs,
  );
});

test(
  'limits change while it runs; the log goes on in a new file; a command that takes too long is killed',
  async () => {
    const logs = join(cri.world.work, 'logs');
    mkdirSync(logs, { recursive: true });
    const pod = await cri.runPod({ logDirectory: logs });
    const { id, pid } = await cri.startContainer(pod, { ...container('sh', '-c', 'while :; do echo line; sleep 0.02; done'), logPath: 'rotated.log' });
    await cri.runtime.updateContainerResources({ containerId: id, linux: { memoryLimitInBytes: BigInt(64 << 20), cpuShares: 512n } });
    const path = /^\d+:(?:memory|):(\S+)$/m.exec(cri.world.proc(pid, 'cgroup'))?.[1] ?? '';
    const limit = [`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`, `/sys/fs/cgroup${path}/memory.max`];
    expect(limit.map((file) => readIfThere(file)).filter((text) => text !== '')).toEqual([String(64 << 20)]);
    const resources = (await cri.status(id))?.resources?.linux;
    expect([resources?.memoryLimitInBytes, resources?.cpuShares]).toEqual([BigInt(64 << 20), 512n]);
    // More than there is: the container goes on, and says what it has lost.
    expect(await cri.exec(id, 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M')).toBe('exit 137');
    await until('the killer to be reported', async () => (await cri.status(id))?.reason === 'OOMKilled');
    renameSync(join(logs, 'rotated.log'), join(logs, 'rotated.log.1'));
    await cri.runtime.reopenContainerLog({ containerId: id });
    await until('the new log', () => readIfThere(join(logs, 'rotated.log')).includes('line'));
    const slow = cri.runtime.execSync({ containerId: id, cmd: ['sleep', '1000'], timeout: 1n });
    await expect(slow).rejects.toThrow('timeout 1s exceeded');
    await until('the command to be gone', () => cri.world.pids().every((one) => !cri.world.commandLine(one).includes('sleep\x001000')));
    await cri.removePod(pod);
    expect(await settledLeaks(before, look)).toEqual([]);
  },
  caseMs,
);

test(
  'kill -9 of the daemon: what runs keeps its pid, its log and its exit code; what ended meanwhile is told; pods that were half made leave nothing',
  async () => {
    const logs = join(cri.world.work, 'logs');
    const pod = await cri.runPod({ logDirectory: logs });
    const numbers = await outliveDaemon(cri, {
      pod,
      shell: (script) => container('sh', '-c', script),
      log: { path: 'on.log', file: join(logs, 'on.log') },
      begin: async () => ({ half: cri.runPod().catch(() => undefined) }),
    });
    expect(numbers.findIndex((value, index) => value !== index + 1)).toBe(-1);
    expect(await settledLeaks(before, look, isDaemons)).toEqual([]);
  },
  caseMs,
);

test(
  'what a container is made of stays, though garbage is collected while it is made: its layer, and an image that it mounts',
  async () => {
    const pod = await cri.runPod();
    const other = await cri.createContainer(pod, container('true'));
    // Each removal has a collection behind it.
    const collecting = cri.runtime.removeContainer({ containerId: other });
    const made = await Promise.all(
      Array.from(
        { length: 8 },
        async () =>
          await cri.createContainer(pod, {
            ...container('ls', '/image/bin/busybox'),
            mounts: [{ containerPath: '/image', readonly: true, image: { image: busybox } }],
          }),
      ),
    );
    await collecting;
    await cri.runtime.removeContainer({ containerId: made.pop() ?? '' });
    await cri.images.removeImage({ image: { image: 'not/there' } });
    for (const containerId of made) {
      await cri.runtime.startContainer({ containerId });
      expect((await cri.exited(containerId)).exitCode).toBe(0);
    }
    await cri.removePod(pod);
    expect(await settledLeaks(before, look, isDaemons)).toEqual([]);
  },
  caseMs,
);

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}
