/** Run by shims.test.ts inside the peer root: the real containerd-shim-runc-v2, over the real runc and crun, under our manager of shims. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { runcOptions, type shimTask, taskEvents, taskTypes } from '../../src/api/containerd/index.ts';
import { cgroupsV1, cgroupsV2 } from '../../src/api/io/index.ts';
import { silentLogger } from '../../src/base/index.ts';
import { ShimTaskManager } from '../../src/core/tasks/shim/manager.ts';
import type { CreateShimTask, ShimTask } from '../../src/core/tasks/shim/shim-tasks.ts';
import { DirectLauncher } from '../../src/kernel/index.ts';
import { TtrpcServer } from '../../src/rpc/ttrpc/index.ts';
import { until } from '../lib/until.ts';

const launcher = new DirectLauncher({ initPath: '/strake/strake-init' });
const { Status } = taskTypes;

let directory: string;
let manager: ShimTaskManager;
let server: TtrpcServer;
const events: string[] = [];
let wake: () => void = () => {};

async function open(recoverTimeoutMs = 30_000): Promise<void> {
  const ttrpcAddress = path.join(directory, 'events.ttrpc');
  const tell = (event: string) => {
    events.push(event);
    wake();
  };
  manager = new ShimTaskManager({
    stateDirectory: path.join(directory, 'state'),
    caller: { address: path.join(directory, 'events'), ttrpcAddress, version: '2.3.0', binary: process.execPath },
    launcher,
    recoverTimeoutMs,
    events: {
      in: () => ({ publish: (topic, payload) => tell(`${topic} ${payload['containerId']} ${payload['exitStatus']}, told by us`) }),
      forward: ({ topic, encoded }) => tell(`${topic} ${idOf(topic, encoded.value)}`),
    },
  });
  server = new TtrpcServer({ services: [manager.forwarding], log: silentLogger });
  await server.listen(ttrpcAddress);
}

const schemas = {
  '/tasks/create': taskEvents.TaskCreateSchema,
  '/tasks/start': taskEvents.TaskStartSchema,
  '/tasks/exec-added': taskEvents.TaskExecAddedSchema,
  '/tasks/exec-started': taskEvents.TaskExecStartedSchema,
  '/tasks/paused': taskEvents.TaskPausedSchema,
  '/tasks/resumed': taskEvents.TaskResumedSchema,
  '/tasks/delete': taskEvents.TaskDeleteSchema,
} as const;

function idOf(topic: string, value: Uint8Array): string {
  if (topic !== '/tasks/exit') return fromBinary(schemas[topic as keyof typeof schemas], value).containerId;
  const { containerId, id, exitStatus } = fromBinary(taskEvents.TaskExitSchema, value);
  return `${containerId === id ? id : `${containerId}/${id}`} ${exitStatus}`;
}

async function told(event: string): Promise<void> {
  while (!events.some((one) => one.startsWith(event))) {
    const { promise, resolve } = Promise.withResolvers<void>();
    wake = resolve;
    await promise;
  }
}

function close(): void {
  manager.close();
  server.close();
}

beforeAll(async () => {
  directory = mkdtempSync('/run/strake-shims-');
  await open();
});

// The directory goes with the peer root's own /run: what a failed test left mounted in it is not to be walked through.
afterAll(() => close());

/** A shell of the peer root, in namespaces of its own. */
function shell(id: string, script: string, more: Partial<CreateShimTask> & { readonly annotations?: Readonly<Record<string, string>> } = {}): CreateShimTask {
  const { annotations = {}, ...others } = more;
  const spec = {
    ociVersion: '1.2.0',
    process: { cwd: '/', args: ['sh', '-c', script], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    annotations,
    linux: { cgroupsPath: `/${id}`, namespaces: ['pid', 'mount', 'network', 'ipc', 'uts'].map((type) => ({ type })) },
  };
  const output = `file://${path.join(directory, id)}`;
  return {
    namespace: 'default',
    id,
    runtime: 'io.containerd.runc.v2',
    spec: Buffer.from(JSON.stringify(spec)),
    rootfs: [{ type: 'bind', source: '/', target: '', options: ['bind', 'ro'] }],
    stdio: { stdin: '', stdout: output, stderr: output, terminal: false },
    ...others,
  };
}

const outputOf = (id: string) => readFileSync(path.join(directory, id), 'utf8');

async function ended(task: ShimTask): Promise<number> {
  return (await task.service.wait({ id: task.id })).exitStatus;
}

function usedCpu({ stats }: shimTask.StatsResponse): bigint | undefined {
  if (stats?.typeUrl === 'io.containerd.cgroups.v1.Metrics') return fromBinary(cgroupsV1.MetricsSchema, stats.value).cpu?.usage?.total;
  return fromBinary(cgroupsV2.MetricsSchema, stats?.value ?? new Uint8Array()).cpu?.usageUsec;
}

function crun(): NonNullable<CreateShimTask['options']> {
  const { OptionsSchema } = runcOptions;
  return { typeUrl: OptionsSchema.typeName, value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName: 'crun' })) };
}

test.each([
  ['runc', undefined],
  ['crun', crun()],
] as const)('%s: a task’s life, with a second process, and its events in their order', async (name, options) => {
  events.length = 0;
  const task = await manager.create(shell(name, 'trap "exit 5" USR1; echo out; while :; do sleep 0.02; done', { options }));
  const { service, id } = task;
  expect(task.pid).toBeGreaterThan(0);
  expect(await service.state({ id })).toMatchObject({
    id,
    bundle: task.bundle,
    pid: task.pid,
    status: Status.CREATED,
    stdout: `file://${path.join(directory, id)}`,
  });
  await service.start({ id });
  await until('the trap to be set', () => outputOf(id) === 'out\n');
  const process = { cwd: '/', args: ['sh', '-c', 'echo second; exit 3'], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } };
  const spec = { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process', value: Buffer.from(JSON.stringify(process)) };
  const output = `file://${path.join(directory, `${id}-second`)}`;
  await service.exec({ id, execId: 'second', stdout: output, stderr: output, spec });
  await service.start({ id, execId: 'second' });
  expect((await service.wait({ id, execId: 'second' })).exitStatus).toBe(3);
  expect((await service.delete({ id, execId: 'second' })).exitStatus).toBe(3);
  expect(outputOf(`${id}-second`)).toBe('second\n');
  expect((await service.pids({ id })).processes.map(({ pid }) => pid)).toContain(task.pid);
  expect(usedCpu(await service.stats({ id }))).toBeGreaterThan(0n);
  await service.pause({ id });
  expect((await service.state({ id })).status).toBe(Status.PAUSED);
  await service.resume({ id });
  await expect(task.delete()).rejects.toThrow('cannot delete a running process');
  await service.kill({ id, signal: 10 });
  expect(await ended(task)).toBe(5);
  expect(await task.delete()).toMatchObject({ pid: task.pid, code: 5 });
  expect(outputOf(id)).toBe('out\n');
  expect(existsSync(task.bundle)).toBe(false);
  await told(`/tasks/delete ${id}`);
  const common = [`/tasks/create ${id}`, `/tasks/start ${id}`, `/tasks/exec-added ${id}`, `/tasks/exec-started ${id}`, `/tasks/exit ${id}/second 3`];
  expect(events.filter((event) => !event.startsWith(`/tasks/delete ${id}`))).toEqual([
    ...common,
    `/tasks/paused ${id}`,
    `/tasks/resumed ${id}`,
    `/tasks/exit ${id} 5`,
  ]);
});

test('a create that runc refuses is told in its words, and leaves nothing', async () => {
  events.length = 0;
  const refused = manager.create({ ...shell('refused', ''), spec: Buffer.from('{"ociVersion":"1.2.0","root":{"path":"rootfs"}}') });
  await expect(refused).rejects.toThrow(/^failed to create shim task: OCI runtime create failed: .*process property must not be empty/);
  expect(manager.list()).toEqual([]);
  expect(existsSync(path.join(directory, 'state/io.containerd.runtime.v2.task/default/refused'))).toBe(false);
  expect(events).toEqual([]);
});

test('containers of a group share a shim; when that is killed, each ends with 137, once', async () => {
  events.length = 0;
  const annotations = { 'io.containerd.runc.v2.group': 'pair' };
  const tasks = [await manager.create(shell('first', 'sleep 1000', { annotations })), await manager.create(shell('other', 'sleep 1000', { annotations }))];
  for (const { service, id } of tasks) await service.start({ id });
  const shims = await Promise.all(tasks.map(async ({ service, id }) => (await service.connect({ id })).shimPid));
  expect(shims[0]).toBe(shims[1] as number);
  await Promise.all([told('/tasks/start first'), told('/tasks/start other')]);
  process.kill(shims[0] as number, 'SIGKILL');
  expect((await Promise.all(tasks.map(async (task) => await task.delete()))).map(({ pid, code }) => [pid, code])).toEqual(tasks.map(({ pid }) => [pid, 137]));
  for (const { pid, bundle } of tasks) {
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(existsSync(bundle)).toBe(false);
  }
  const after = ['first', 'other'].flatMap((id) => [`/tasks/exit ${id} 137, told by us`, `/tasks/delete ${id} 137, told by us`]);
  expect(events.slice(4).toSorted()).toEqual(after.toSorted());
});

/** Of the shim of `id` alone: its pid, or none. */
function shimsOf(id: string): number[] {
  const isShim = (pid: number) => {
    try {
      const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return argv[0]?.endsWith('containerd-shim-runc-v2') && argv.includes(id) && !argv.includes('start') && !argv.includes('delete');
    } catch {
      return false;
    }
  };
  return readdirSync('/proc').map(Number).filter(isShim);
}

/** ms: a create takes about 50, a life about 120. */
const latestKill = 160;

test('a shim that is killed at any moment: its task can be deleted, its end is told once, and nothing is left', async () => {
  for (let round = 0; round < 24; round++) {
    events.length = 0;
    const id = `killed-${round}`;
    const killer = setTimeout(() => {
      for (const pid of shimsOf(id)) process.kill(pid, 'SIGKILL');
    }, Math.random() * latestKill);
    const task = await manager.create(shell(id, 'sleep 1000')).catch(() => undefined);
    const live = async (created: ShimTask) => {
      await created.service.start({ id });
      await created.service.kill({ id, signal: 9 });
      await ended(created);
    };
    if (task !== undefined) await live(task).catch(() => undefined);
    if (task !== undefined) expect(await task.delete()).toMatchObject({ pid: task.pid, code: 137 });
    clearTimeout(killer);
    if (task !== undefined) {
      await told(`/tasks/exit ${id} 137`);
      await told(`/tasks/delete ${id}`);
    }
    const ends = events.filter((event) => event.startsWith('/tasks/exit') || event.startsWith('/tasks/delete'));
    expect({ round, ends: ends.length }).toEqual({ round, ends: task === undefined ? 0 : 2 });
    expect(manager.list()).toEqual([]);
    expect(existsSync(path.join(directory, 'state/io.containerd.runtime.v2.task/default', id))).toBe(false);
    expect(existsSync(`/proc/${task?.pid}`)).toBe(false);
  }
});

test('a new daemon finds running tasks, and ended ones with their exit; one hung shim holds it up no more than its time', async () => {
  const [runs, over, hangs] = [
    await manager.create(shell('runs', 'trap "exit 4" USR1; echo up; while :; do sleep 0.02; done')),
    await manager.create(shell('over', 'exit 9')),
    await manager.create(shell('hangs', 'sleep 1000')),
  ];
  for (const { service, id } of [runs, over, hangs]) await service.start({ id });
  expect(await ended(over)).toBe(9);
  await until('the trap to be set', () => outputOf('runs') === 'up\n');
  const { shimPid } = await hangs.service.connect({ id: 'hangs' });
  process.kill(shimPid, 'SIGSTOP');
  close();
  // What is fast enough on the slowest machine; the hung one takes all of it.
  await open(3_000);
  await manager.recover();
  expect(
    manager
      .list()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(['hangs', 'over', 'runs']);
  const [again, ended9, hung] = ['runs', 'over', 'hangs'].map((id) => manager.get('default', id)) as [ShimTask, ShimTask, ShimTask];
  expect(await ended9.service.state({ id: 'over' })).toMatchObject({ status: Status.STOPPED, exitStatus: 9 });
  expect((await ended9.delete()).code).toBe(9);
  await again.service.kill({ id: 'runs', signal: 10 });
  expect(await ended(again)).toBe(4);
  await again.delete();
  process.kill(shimPid, 'SIGCONT');
  await hung.service.kill({ id: 'hangs', signal: 9 });
  expect(await ended(hung)).toBe(137);
  expect((await hung.delete()).pid).toBe(hangs.pid);
});

test('what the shim says of itself', async () => {
  const { name, features } = await manager.info('io.containerd.runc.v2');
  expect(name).toBe('io.containerd.runc.v2');
  expect(features?.typeUrl).toBe('types.containerd.io/opencontainers/runtime-spec/1/features/Features');
});
