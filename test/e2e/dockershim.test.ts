/** `strake dockershim` over our engine: a pod from its start to its end, its streams, and the shim killed in the middle. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { criContainer, criImages, criLinux, criPod, criRuntime } from '../../src/api/cri/index.ts';
import { connectGrpc, type GrpcConnection } from '../../src/rpc/grpc/index.ts';
import { Engine, strakeBinary } from '../lib/engine.ts';
import type { Running } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 120_000;
const streamClient = join(import.meta.dirname, '../fixtures/stream-client.ts');
const image = { image: busybox };

let engine: Engine;
let shim: Running;
let connection: GrpcConnection;
let logs: string;

async function startShim(): Promise<void> {
  const address = join(engine.work, 'dockershim.sock');
  shim = engine.world.spawn([strakeBinary, 'dockershim', '--address', address, '--docker', `unix://${engine.socket}`]);
  await shim.output(/serving/, { stream: 'stderr' });
  connection = connectGrpc({ kind: 'unix', path: address });
}

const runtime = () => connection.client(criRuntime.RuntimeService);
const podConfig = () => ({
  metadata: { name: 'pod', namespace: 'test', uid: 'u1', attempt: 0 },
  hostname: 'inside',
  logDirectory: logs,
  labels: { app: 'x' },
  linux: {},
});

type Linux = NonNullable<MessageInitShape<typeof criContainer.ContainerConfigSchema>['linux']>;

async function startContainer(podSandboxId: string, name: string, script: string, linux: Linux = {}): Promise<string> {
  const config = { metadata: { name, attempt: 0 }, image, command: ['sh', '-c', script], logPath: `${name}.log`, linux };
  const { containerId } = await runtime().createContainer({ podSandboxId, config, sandboxConfig: podConfig() });
  await runtime().startContainer({ containerId });
  return containerId;
}

async function exited(containerId: string): Promise<criContainer.ContainerStatus> {
  return await until('the end of the container', async () => {
    const { status } = await runtime().containerStatus({ containerId });
    return status?.state === criContainer.ContainerState.CONTAINER_EXITED ? status : undefined;
  });
}

const textsOf = (name: string) =>
  readFileSync(join(logs, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ').slice(1).join(' '));

beforeAll(async () => {
  engine = await Engine.start('strake');
  logs = join(engine.work, 'pod-logs');
  mkdirSync(logs);
  await startShim();
  await connection.client(criImages.ImageService).pullImage({ image });
}, setupMs);

afterAll(async () => {
  connection.close();
  await shim.stop();
  await engine[Symbol.asyncDispose]();
});

test(
  'a pod with two containers: what they share, their streams, their ends',
  async () => {
    const { podSandboxId } = await runtime().runPodSandbox({ config: podConfig() });
    const { status: pod } = await runtime().podSandboxStatus({ podSandboxId });
    expect(pod).toMatchObject({ state: criPod.PodSandboxState.SANDBOX_READY, labels: { app: 'x' }, metadata: { name: 'pod', uid: 'u1' } });
    expect(pod?.network?.ip).toMatch(/^172\.\d+\.\d+\.\d+$/);
    const server = await startContainer(podSandboxId, 'server', 'hostname; echo kept >/dev/shm/note; while :; do echo served | nc -l -p 8080 127.0.0.1; done');
    const short = await startContainer(podSandboxId, 'short', 'until [ -e /dev/shm/note ]; do sleep 0.05; done; cat /dev/shm/note; echo oh dear >&2; exit 3');
    expect(await exited(short)).toMatchObject({ exitCode: 3, reason: 'Error', logPath: join(logs, 'short.log') });
    expect(textsOf('short.log').toSorted()).toEqual(['stderr F oh dear', 'stdout F kept']);
    // What a container that runs has said is on its way.
    await until('the host name', () => textsOf('server.log').length > 0);
    expect(textsOf('server.log')).toEqual(['stdout F inside']);

    const { stdout, stderr, exitCode } = await runtime().execSync({ containerId: server, cmd: ['sh', '-c', 'echo out; echo err >&2; exit 5'], timeout: 10n });
    expect([Buffer.from(stdout).toString(), Buffer.from(stderr).toString(), exitCode]).toEqual(['out\n', 'err\n', 5]);
    await expect(runtime().execSync({ containerId: server, cmd: ['sleep', '1000'], timeout: 1n })).rejects.toMatchObject({ code: 'DeadlineExceeded' });

    const { url } = await runtime().exec({ containerId: server, cmd: ['sh', '-c', 'cat; echo err >&2; exit 4'], stdin: true, stdout: true, stderr: true });
    const streamed = JSON.parse(await engine.world.output([process.execPath, streamClient, url, 'to and fro\n']));
    expect(streamed).toMatchObject({ out: 'to and fro\n', err: 'err\n', status: { reason: 'NonZeroExitCode', details: { causes: [{ message: '4' }] } } });
    const { url: port } = await runtime().portForward({ podSandboxId, port: [8080] });
    expect(JSON.parse(await engine.world.output(['env', 'PORT=8080', process.execPath, streamClient, port, 'x']))).toEqual({ out: 'served\n', err: '' });

    const { stats } = await runtime().listPodSandboxStats({});
    expect(stats.map(({ linux }) => linux?.containers.length)).toEqual([1]);
    const [metrics] = (await runtime().listPodSandboxMetrics({})).podMetrics;
    const told = metrics?.containerMetrics.flatMap((one) => one.metrics.map(({ name }) => name));
    expect(metrics?.containerMetrics.map(({ containerId }) => containerId)).toEqual([server]);
    for (const name of ['container_spec_cpu_shares', 'container_memory_usage_bytes', 'container_fs_limit_bytes', 'container_threads', 'container_processes'])
      expect(told).toContain(name);
    expect(metrics?.metrics.map(({ name }) => name)).toContain('container_network_receive_bytes_total');
    await runtime().stopPodSandbox({ podSandboxId });
    expect(await exited(server)).toMatchObject({ exitCode: 137 });
    await runtime().removePodSandbox({ podSandboxId });
    await runtime().removePodSandbox({ podSandboxId });
    expect((await runtime().listContainers({})).containers).toEqual([]);
    expect(await engine.ownOutput(['ps', '-aq'])).toBe('');
  },
  caseMs,
);

test(
  'groups of a container: those of the image’s file too, unless the pod will have none of them',
  async () => {
    const { podSandboxId } = await runtime().runPodSandbox({ config: podConfig() });
    const identity = { runAsUser: { value: 33n }, supplementalGroups: [8n] };
    const { Strict } = criLinux.SupplementalGroupsPolicy;
    for (const [name, more, groups] of [
      ['merged', {}, [33, 50, 8]],
      ['of-a-group', { runAsGroup: { value: 7n } }, [7, 50, 8]],
      ['strict', { supplementalGroupsPolicy: Strict }, [33, 8]],
    ] as const) {
      const id = await startContainer(podSandboxId, name, 'id -G', { securityContext: { ...identity, ...more } });
      const { user } = await exited(id);
      const [told = ''] = textsOf(`${name}.log`);
      expect([name, told.replace('stdout F ', '').split(' ').map(Number).toSorted()]).toEqual([name, groups.toSorted()]);
      expect([user?.linux?.uid, user?.linux?.gid, user?.linux?.supplementalGroups.map(Number).toSorted()]).toEqual([33n, BigInt(groups[0]), groups.toSorted()]);
    }
    await runtime().removePodSandbox({ podSandboxId });
    expect(await engine.ownOutput(['ps', '-aq'])).toBe('');
  },
  caseMs,
);

test(
  'kill -9 of the shim: containers go on, their logs have each line once',
  async () => {
    const { podSandboxId } = await runtime().runPodSandbox({ config: podConfig() });
    const counter = await startContainer(podSandboxId, 'counter', 'i=0; while [ ! -e /dev/shm/stop ]; do i=$((i+1)); echo $i; usleep 1000; done; echo end');
    await until('some lines', () => textsOf('counter.log').length > 50);
    process.kill(shim.innerPid, 'SIGKILL');
    await shim.finished;
    connection.close();
    await startShim();
    const before = textsOf('counter.log').length;
    await until('more lines', () => textsOf('counter.log').length > before + 50);
    await runtime().execSync({ containerId: counter, cmd: ['touch', '/dev/shm/stop'], timeout: 10n });
    await exited(counter);
    const lines = textsOf('counter.log');
    expect(lines).toEqual([...lines.slice(0, -1).map((_, index) => `stdout F ${index + 1}`), 'stdout F end']);
    await runtime().removePodSandbox({ podSandboxId });
  },
  caseMs,
);
