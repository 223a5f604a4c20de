import { expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { bootstrap, taskTypes } from '../../../api/containerd/index.ts';
import { createLineLogger, type Logger, silentLogger } from '../../../base/index.ts';
import { DirectLauncher } from '../../../kernel/index.ts';
import { TtrpcServer } from '../../../rpc/ttrpc/index.ts';
import { initPath, rejection } from '../../fixtures.ts';
import { type FixtureShim, fixturePids } from './fixtures-shim.ts';
import { ShimTaskManager } from './manager.ts';
import type { CreateShimTask, ShimTask } from './shim-tasks.ts';

const launcher = new DirectLauncher({ initPath });
const stdio = { stdin: '', stdout: '/a/fifo', stderr: '', terminal: false };

/** A state directory, a shim that behaves as a test wishes, and managers that come and go. */
class Place implements AsyncDisposable {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'strake-shims-'));
  readonly runtime = path.join(this.directory, 'containerd-shim-fixture-v1');
  readonly lines: string[] = [];
  /** "TOPIC ID CODE", as it came from a shim or from the manager. */
  readonly events: string[] = [];
  private readonly shimPids = new Set<number>();
  private readonly opened: { manager: ShimTaskManager; server: TtrpcServer }[] = [];
  private wake: () => void = () => {};

  constructor() {
    const script = `#!/bin/sh\nexec ${process.execPath} ${path.join(import.meta.dirname, 'fixtures-shim.ts')} "$@"\n`;
    writeFileSync(this.runtime, script, { mode: 0o755 });
  }

  async open({ recoverTimeoutMs = 30_000 }: { recoverTimeoutMs?: number } = {}): Promise<ShimTaskManager> {
    const log: Logger = createLineLogger({ level: 'debug', format: 'text', write: (line) => this.told(this.lines, line) });
    const ttrpcAddress = path.join(this.directory, 'events.ttrpc');
    const manager = new ShimTaskManager({
      stateDirectory: path.join(this.directory, 'state'),
      caller: { address: path.join(this.directory, 'events'), ttrpcAddress, version: '9.8.7', binary: process.execPath },
      launcher,
      log,
      recoverTimeoutMs,
      events: {
        in: (namespace) => ({
          publish: (topic, payload) => this.told(this.events, `${namespace} ${topic} ${payload['containerId']} ${payload['exitStatus']} of us`),
        }),
        forward: ({ namespace, topic, encoded }) => this.told(this.events, `${namespace} ${topic} ${encoded.typeUrl} of the shim`),
      },
    });
    const server = new TtrpcServer({ services: [manager.forwarding], log: silentLogger });
    await server.listen(ttrpcAddress);
    this.opened.push({ manager, server });
    return manager;
  }

  /** As the end of the daemon does. */
  close(): void {
    for (const { manager, server } of this.opened.splice(0)) {
      manager.close();
      server.close();
    }
  }

  request(id: string, behaviour: FixtureShim = {}, more: Partial<CreateShimTask> = {}): CreateShimTask {
    return { namespace: 'space', id, runtime: this.runtime, spec: Buffer.from(JSON.stringify(behaviour)), rootfs: [], stdio, ...more };
  }

  /** The shim's pid, which is killed at the end. */
  async shimOf(task: ShimTask): Promise<number> {
    const { shimPid } = await task.service.connect({ id: task.id });
    this.shimPids.add(shimPid);
    return shimPid;
  }

  bundle(id: string): string {
    return path.join(this.directory, 'state/io.containerd.runtime.v2.task/space', id);
  }

  /** Until one of `list` is like this. */
  async until(list: readonly string[], like: RegExp): Promise<string> {
    for (;;) {
      const found = list.find((entry) => like.test(entry));
      if (found !== undefined) return found;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    for (const pid of this.shimPids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    // Bundles are still being deleted in it, and Bun's rmSync leaves the rest when something vanishes under it.
    while (existsSync(this.directory)) {
      rmSync(this.directory, { recursive: true, force: true });
      await delay(10);
    }
  }

  private told(list: string[], entry: string): void {
    list.push(entry);
    this.wake();
  }
}

/** The end of a process that is not our child sends no event. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`)) await delay(10);
}

test.each<[string, FixtureShim]>([
  ['of containerd 2.3', {}],
  ['of containerd 2.1', { answer: 'json' }],
  ['with the task service 2', { version: 2 }],
  ['of containerd 1.6', { answer: 'address', version: 2 }],
])('a shim %s: started with all that it wants to know, its task driven and deleted', async (_, behaviour) => {
  await using place = new Place();
  const manager = await place.open();
  const options = { typeUrl: 'containerd.runc.v1.Options', value: Uint8Array.of(8, 1) };
  const rootfs = [{ type: 'bind', source: '/', target: '', options: ['ro'] }];
  const task = await manager.create(place.request('one', behaviour, { options, rootfs }));
  expect([task.namespace, task.id, task.pid, task.bundle]).toEqual(['space', 'one', fixturePids.task, place.bundle('one')]);
  expect(manager.get('space', 'one')).toBe(task);
  expect(() => manager.get('other', 'one')).toThrow('task one');
  expect([manager.list().length, manager.list('space').length, manager.list('other').length]).toEqual([1, 1, 0]);
  const told = fromBinary(bootstrap.BootstrapParamsSchema, readFileSync(path.join(task.bundle, 'start-stdin')));
  expect(told).toMatchObject({
    instanceId: 'one',
    namespace: 'space',
    containerdVersion: '9.8.7',
    containerdTtrpcAddress: path.join(place.directory, 'events.ttrpc'),
  });
  expect(told.extensions.map(({ value }) => value)).toMatchObject([options]);
  await place.until(place.lines, /line="one of space has 1 mounts and \/a\/fifo"/);
  expect(await rejection(manager.create(place.request('one')))).toBe('AlreadyExists: task one');
  await place.shimOf(task);
  expect((await task.service.start({ id: 'one' })).pid).toBe(fixturePids.task);
  expect((await task.service.state({ id: 'one' })).status).toBe(taskTypes.Status.RUNNING);
  expect(await rejection(task.delete())).toBe('FailedPrecondition: task must be stopped before deletion: running');
  await task.service.kill({ id: 'one', signal: 9 });
  expect(await task.delete()).toMatchObject({ pid: fixturePids.task, code: 7 });
  expect(() => manager.get('space', 'one')).toThrow('task one');
  expect(readdirSync(path.dirname(task.bundle)).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(place.events).toEqual([
    'space /tasks/exit type.googleapis.com/containerd.events.TaskExit of the shim',
    'space /tasks/delete type.googleapis.com/containerd.events.TaskDelete of the shim',
  ]);
});

test.each<[FixtureShim, string]>([
  [{ answer: 'fails' }, 'Unavailable: failed to start shim: no room: exit status 3'],
  [{ answer: 'rubbish' }, 'Unavailable: failed to start shim: the shim’s start answered "rubbish", which is no address'],
  [{ create: 'fails' }, 'InvalidArgument: failed to create shim task: no such rootfs'],
  [{ create: 'dies' }, 'Unavailable: failed to create shim task: the ttrpc connection is closed'],
])('a shim that is %j leaves nothing', async (behaviour, failure) => {
  await using place = new Place();
  const manager = await place.open();
  expect(await rejection(manager.create(place.request('one', behaviour)))).toBe(failure);
  expect(manager.list()).toEqual([]);
  expect(existsSync(place.bundle('one'))).toBe(false);
  expect(place.events).toEqual([]);
  const task = await manager.create(place.request('one'));
  await place.shimOf(task);
  await task.delete();
});

test('ids are names, runtimes are found, and a start can be given up', async () => {
  await using place = new Place();
  const manager = await place.open();
  expect(await rejection(manager.create(place.request('../x')))).toStartWith('InvalidArgument: identifier "../x" must match ');
  expect(await rejection(manager.create(place.request('one', {}, { namespace: '' })))).toBe('InvalidArgument: identifier must not be empty');
  expect(await rejection(manager.create(place.request('one', {}, { runtime: 'io.containerd.no-such.v9' })))).toStartWith(
    'NotFound: runtime "io.containerd.no-such.v9" binary',
  );
  const abort = new AbortController();
  const creating = manager.create(place.request('one', { answer: 'hangs' }, { signal: abort.signal }));
  abort.abort(new Error('given up'));
  expect(await rejection(creating)).toBe('Internal: failed to start shim: given up');
  expect(existsSync(place.bundle('one'))).toBe(false);
  expect((await manager.info(place.runtime, { typeUrl: 'x', value: new Uint8Array() })).annotations).toEqual({ stdin: '3' });
});

test.each<[string, FixtureShim, boolean, number, string[]]>([
  ['its command tells the exit', {}, false, 137, ['space /tasks/exit one 137 of us', 'space /tasks/delete one 137 of us']],
  ['nobody knows the exit', { delete: 'fails' }, false, 255, ['space /tasks/exit one 255 of us', 'space /tasks/delete one 255 of us']],
  [
    'it had told the exit',
    {},
    true,
    137,
    ['space /tasks/exit type.googleapis.com/containerd.events.TaskExit of the shim', 'space /tasks/delete one 137 of us'],
  ],
])('a killed shim: %s', async (_, behaviour, tells, code, events) => {
  await using place = new Place();
  const manager = await place.open();
  const task = await manager.create(place.request('one', behaviour));
  const shim = await place.shimOf(task);
  await task.service.start({ id: 'one' });
  if (tells) await task.service.kill({ id: 'one', signal: 9 });
  const waiting = rejection(task.service.wait({ id: 'one' }));
  process.kill(shim, 'SIGKILL');
  expect(await waiting).toBe('Unavailable: the ttrpc connection is closed');
  await place.until(place.events, /\/tasks\/delete/);
  expect(place.events).toEqual(events);
  expect(() => manager.get('space', 'one')).toThrow('task one');
  expect(existsSync(task.bundle)).toBe(false);
  expect((await task.delete()).code).toBe(code);
});

test('a shim that takes its last words with it: they are told for it', async () => {
  await using place = new Place();
  const manager = await place.open();
  const task = await manager.create(place.request('one', { isSilent: true }));
  await place.shimOf(task);
  await task.delete();
  expect(place.events).toEqual(['space /tasks/exit one 7 of us', 'space /tasks/delete one 7 of us']);
});

test('a shim that only ends its connections has not gone', async () => {
  await using place = new Place();
  const manager = await place.open();
  const task = await manager.create(place.request('one'));
  const shim = await place.shimOf(task);
  const waiting = rejection(task.service.wait({ id: 'one' }));
  process.kill(shim, 'SIGUSR1');
  expect(await waiting).toBe('Unavailable: the ttrpc connection is closed');
  await place.until(place.lines, /a shim ended its connection, and took another one/);
  expect((await task.service.state({ id: 'one' })).status).toBe(taskTypes.Status.CREATED);
  expect(place.events).toEqual([]);
  await task.delete();
});

test('after a start of the daemon: living shims are found again, dead ones cleaned up after, what was half made is removed', async () => {
  await using place = new Place();
  const before = await place.open();
  const [alive, old, empty, begun, dead] = [
    await before.create(place.request('alive')),
    await before.create(place.request('old', { version: 2, answer: 'address' })),
    await before.create(place.request('empty')),
    await before.create(place.request('begun', { isSilent: true })),
    await before.create(place.request('dead')),
  ];
  for (const task of [alive, old, empty]) await place.shimOf(task);
  const shimOfBegun = await place.shimOf(begun);
  const shimOfDead = await place.shimOf(dead);
  await alive.service.start({ id: 'alive' });
  await empty.service.delete({ id: 'empty' });
  place.close();
  process.kill(shimOfDead, 'SIGKILL');
  // Its shim was begun by version 2 of the service, and a newer one was installed since.
  writeFileSync(path.join(old.bundle, 'bootstrap.json'), JSON.stringify({ ...old.endpoint, version: 3 }));
  rmSync(path.join(begun.bundle, 'bootstrap.json'));
  mkdirSync(path.join(place.bundle('half'), 'rootfs'), { recursive: true });
  const after = await place.open();
  await (await after.recover()).removed;
  expect(
    after
      .list()
      .map(({ id, pid }) => [id, pid])
      .toSorted(),
  ).toEqual([
    ['alive', fixturePids.task],
    ['old', fixturePids.task],
  ]);
  await gone(shimOfBegun);
  expect((await after.get('space', 'alive').service.state({ id: 'alive' })).status).toBe(taskTypes.Status.RUNNING);
  expect((await after.get('space', 'old').service.start({ id: 'old' })).pid).toBe(fixturePids.task);
  expect(
    readdirSync(path.dirname(alive.bundle))
      .filter((name) => !name.startsWith('.'))
      .toSorted(),
  ).toEqual(['alive', 'old']);
  expect(place.events).toEqual([]);
});

test('a shim that does not answer holds up no start, and loses no task', async () => {
  await using place = new Place();
  const before = await place.open();
  const shim = await place.shimOf(await before.create(place.request('hung')));
  place.close();
  process.kill(shim, 'SIGSTOP');
  const after = await place.open({ recoverTimeoutMs: 100 });
  await after.recover();
  const task = after.get('space', 'hung');
  expect(await rejection(task.service.state({ id: 'hung' }, { timeoutMs: 50 }))).toBe('DeadlineExceeded: State was not answered within 50 ms');
  process.kill(shim, 'SIGCONT');
  expect((await task.service.state({ id: 'hung' })).pid).toBe(fixturePids.task);
  expect(task.pid).toBe(fixturePids.task);
  await task.delete();
  expect(existsSync(task.bundle)).toBe(false);
});

test('a shim that does not answer, with a task that nobody got, is killed', async () => {
  await using place = new Place();
  const before = await place.open();
  const task = await before.create(place.request('stuck'));
  const shim = await place.shimOf(task);
  place.close();
  rmSync(path.join(task.bundle, 'strake-created'));
  process.kill(shim, 'SIGSTOP');
  const after = await place.open({ recoverTimeoutMs: 100 });
  const { removed } = await after.recover();
  expect([after.list(), existsSync(task.bundle)]).toEqual([[], true]);
  // Who wants the id again waits until it is free.
  await (await after.create(place.request('stuck'))).delete();
  await removed;
  expect(existsSync(task.bundle)).toBe(false);
  await gone(shim);
});

test('a sandbox’s shim takes its other tasks without being started again', async () => {
  await using place = new Place();
  const manager = await place.open();
  const sandbox = await manager.create(place.request('sandbox'));
  const shim = await place.shimOf(sandbox);
  const inside = await manager.create(place.request('inside', { answer: 'fails' }, { sandboxId: 'sandbox' }));
  expect(await place.shimOf(inside)).toBe(shim);
  expect(inside.endpoint).toEqual(sandbox.endpoint);
  await inside.delete();
  expect((await sandbox.service.state({ id: 'sandbox' })).pid).toBe(fixturePids.task);
  await sandbox.delete();
});
