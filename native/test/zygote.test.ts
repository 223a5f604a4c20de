import { afterAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { encodeFrame, frameTypes } from '../../src/kernel/launch/frames.ts';
import { MonitorAttachment, TaskConnection, ZygoteLauncher } from '../../src/kernel/launch/index.ts';
import { encodeProgram } from '../../src/kernel/program/index.ts';
import { strakeInit } from './harness.ts';
import { monitored, until, World } from './monitored.ts';

const world = new World();
afterAll(async () => await world[Symbol.asyncDispose]());
const ownDescriptors = () => readdirSync('/proc/self/fd').length;
const zygotePid = (socket: string) =>
  Number(
    readdirSync('/proc').find((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${strakeInit}\0zygote\0${socket}\0`;
      } catch {
        return false;
      }
    }),
  );

test('it is private, sealed, and names itself', async () => {
  await world.launcher.start();
  const socket = world.path('zygote.sock');
  const pid = zygotePid(socket);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(readlinkSync(`/proc/${pid}/exe`)).toBe('/memfd:strake-init (deleted)');
  expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('strake-init\n');
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
});

test('200 launches leave no descriptor and no process', async () => {
  await world.launcher.run([]);
  const pid = zygotePid(world.path('zygote.sock'));
  const zygoteDescriptors = () => readdirSync(`/proc/${pid}/fd`).length;
  const before = [ownDescriptors(), zygoteDescriptors()];
  for (let i = 0; i < 200; i++) {
    if (i % 2 === 0) await world.launcher.run([]);
    else expect(await (await world.launch(['true'])).code()).toBe(0);
  }
  await until('all descriptors are closed', () => ownDescriptors() === before[0] && zygoteDescriptors() === before[1]);
  await until('all processes are gone', () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '');
});

test('500 programs at once', async () => {
  const reports = await Promise.all(Array.from({ length: 500 }, async () => await world.launcher.run([])));
  expect(reports.every(({ failedIndex }) => failedIndex === undefined)).toBe(true);
});

test('100 processes at once, each with its own exit', async () => {
  const codes = await Promise.all(Array.from({ length: 100 }, async (_, i) => await (await world.launch(['sh', '-c', `exit ${i}`])).code()));
  expect(codes).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('a failed program is thrown with its operation, errno and remedy’s class', async () => {
  await expect(world.launcher.run([{ op: 'write_file', side: 'host', path: '/no/such/file', data: new Uint8Array() }])).rejects.toMatchObject({
    code: 'NotFound',
    message: expect.stringMatching(/^write_file: .*\/no\/such\/file: no such file or directory$/),
    fields: { operation: 'write_file', errno: 'ENOENT', layer: 'kernel' },
  });
});

test('a connection that says nothing, nonsense, or half a program harms nobody', async () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    encodeFrame(frameTypes.start),
    encodeFrame(frameTypes.program, Buffer.from('STRK')),
    encodeFrame(frameTypes.program, encodeProgram([])).subarray(0, 20),
  ]) {
    const socket = connect(world.path('zygote.sock'));
    socket.on('error', () => undefined);
    socket.end(bytes);
    await new Promise((resolve) => socket.resume().once('close', resolve));
  }
  expect((await world.launcher.run([])).failedIndex).toBeUndefined();
});

test('killed, another takes its place, once for many', async () => {
  const socket = world.path('zygote.sock');
  const first = zygotePid(socket);
  const task = await world.launch(['sleep', '60']);
  process.kill(first, 'SIGKILL');
  const reports = await Promise.all(Array.from({ length: 8 }, async () => await world.launcher.run([])));
  expect(reports.map(({ failedIndex }) => failedIndex)).toEqual(Array.from({ length: 8 }, () => undefined));
  expect(zygotePid(socket)).not.toBe(first);
  // What the first one launched does not care.
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('an aborted launch ends its program', async () => {
  const abort = new AbortController();
  const fifo = world.path('fifo');
  expect(spawn('mkfifo', [fifo]).pid).toBeGreaterThan(0);
  await until('the FIFO is there', () => existsSync(fifo));
  // The open of a FIFO without a writer waits.
  const launching = world.launcher.launch([{ op: 'open', side: 'host', out: 0, path: fifo, mode: 0 }], { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('not wanted any more')), 20);
  await expect(launching).rejects.toThrow('not wanted any more');
  writeFileSync(fifo, '');
});

test('the zygote of another build is refused', async () => {
  const fake = world.path('fake-init');
  writeFileSync(fake, '#!/bin/sh\necho 0000000000000000\nexec cat\n', { mode: 0o755 });
  await expect(new ZygoteLauncher({ initPath: fake, socketPath: world.path('fake.sock') }).start()).rejects.toMatchObject({ code: 'FailedPrecondition' });
  await expect(new ZygoteLauncher({ initPath: world.path('no-such'), socketPath: world.path('no.sock') }).start()).rejects.toMatchObject({
    code: 'Unavailable',
  });
});

test('it ends with its daemon, and its socket with it; the monitors stay, also under a path too long for an address', async () => {
  const own = new ZygoteLauncher({ initPath: strakeInit, socketPath: world.path('own.sock') });
  const dir = world.path(`${'x'.repeat(64)}/execs/${'y'.repeat(64)}`);
  mkdirSync(path.dirname(dir), { recursive: true });
  const { connection } = await own.launch(monitored(dir, ['cat'], { flags: 2 }));
  await own[Symbol.asyncDispose]();
  expect(existsSync(world.path('own.sock'))).toBe(false);
  connection.close();
  const socket = path.join(dir, 'monitor.sock');
  const before = ownDescriptors();
  const later = await TaskConnection.connect(socket);
  await later.watch();
  const client = await MonitorAttachment.open(socket, { stdin: true, stdout: true, stderr: true });
  await client.closeStdin();
  expect((await later.exited).code).toBe(0);
  expect((await client.ended)?.code).toBe(0);
  later.close();
  await until('all descriptors are closed', () => ownDescriptors() === before);
});

test('an idle monitor takes less than 1 MiB', async () => {
  const tasks = await Promise.all(Array.from({ length: 10 }, async (_, i) => await world.launch(['sleep', '60'], { flags: 2, log: world.path(`idle${i}`) })));
  const monitors = tasks.map(({ dir }) => Number(readFileSync(path.join(dir, 'pid'), 'utf8').split(' ')[2]));
  for (const pid of monitors) {
    const pss = Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
    if (!strakeInit.includes('asan')) expect(pss).toBeWithin(1, 1024);
  }
  for (const task of tasks) {
    await task.connection.kill(9);
    expect(await task.code()).toBe(137);
  }
});
