import { afterAll, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { encodeFrame, frameTypes } from '../../src/kernel/launch/frames.ts';
import { collect, monitored, monitorFlags, shell, until, World } from './monitored.ts';

const world = new World();
afterAll(async () => await world[Symbol.asyncDispose]());
const { terminal, stdin, stdinOnce } = monitorFlags;
const newPid = 0x2000_0000;
const alive = (pid: number) => existsSync(`/proc/${pid}`);
const statusOf = (pid: number, field: string) => new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

/* --- exits */

test.each<[string, string, number, number]>([
  ['success', 'exit 0', 0, 0],
  ['a code', 'exit 255', 255, 0],
  ['a signal', 'kill -TERM $$', 143, 15],
  ['SIGKILL', 'kill -9 $$', 137, 9],
])('exit: %s', async (_, script, code, signal) => {
  const before = Date.now();
  const task = await world.launch(shell(script));
  const exit = await task.connection.exited;
  task.connection.close();
  expect(exit).toMatchObject({ code, signal, oomKills: 0, cleanupFailure: undefined });
  expect(exit.at.getTime()).toBeWithin(before - 1000, Date.now() + 1);
  await until('the socket is gone', () => !existsSync(path.join(task.dir, 'monitor.sock')));
  expect(readdirSync(task.dir).sort()).toEqual(['exit', 'pid', 'started']);
  const [fileCode, fileSignal, ns, oom] = readFileSync(path.join(task.dir, 'exit'), 'utf8').trim().split(' ');
  expect([Number(fileCode), Number(fileSignal), Number(oom)]).toEqual([code, signal, 0]);
  expect(new Date(Number(BigInt(ns ?? 0) / 1_000_000n))).toEqual(exit.at);
});

test('pid file, names, session and modes while it runs', async () => {
  const task = await world.launch(['sleep', '60'], { waitStart: true });
  const [pid, startTime, monitor] = readFileSync(path.join(task.dir, 'pid'), 'utf8').trim().split(' ').map(Number);
  expect(pid).toBe(task.pid);
  expect(existsSync(path.join(task.dir, 'started'))).toBe(false);
  expect(startTime).toBe(Number(readFileSync(`/proc/${task.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]));
  expect(Number(statusOf(task.pid, 'PPid'))).toBe(monitor ?? 0);
  expect(readFileSync(`/proc/${monitor}/cmdline`, 'utf8').replace(/\0*$/, '')).toBe(`strake-init: monitor ${path.basename(task.dir)}`);
  expect(statusOf(monitor ?? 0, 'Name')).toBe('strake-init');
  expect(Number(statusOf(monitor ?? 0, 'NSsid'))).toBe(monitor ?? 0);
  expect(statSync(task.dir).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(task.dir, 'monitor.sock')).mode & 0o777).toBe(0o600);
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('pages of the program that only the set-up needed are given back', async () => {
  const task = await world.launch(['sleep', '60']);
  const [, , monitor] = readFileSync(path.join(task.dir, 'pid'), 'utf8').trim().split(' ').map(Number);
  const [, program] = /^\S+ r--p .*?(\/.*)$/m.exec(readFileSync(`/proc/${monitor}/smaps`, 'utf8')) ?? [];
  const constant = () => {
    const maps = readFileSync(`/proc/${monitor}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-)/m);
    const own = maps.filter((map) => /^\S+ r-/.test(map) && map.includes(`${program}\n`));
    const sum = (field: string) => own.reduce((total, map) => total + Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(map)?.[1]), 0);
    return { size: sum('Size'), resident: sum('Rss') };
  };
  expect(constant().size).toBeGreaterThan(500);
  await until('most of it is gone', () => constant().resident < constant().size * 0.4);
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('killed between create and start: an exit like others', async () => {
  const task = await world.launch(['true'], { waitStart: true });
  await task.connection.kill(9);
  expect(await task.connection.exited).toMatchObject({ code: 137, signal: 9 });
  task.connection.close();
  expect(readFileSync(path.join(task.dir, 'exit'), 'utf8')).toStartWith('137 9 ');
});

test('a failed execve is the answer to START, and no exit', async () => {
  writeFileSync(world.path('no-interpreter'), '#!/nonexistent\n', { mode: 0o755 });
  const task = await world.launch([world.path('no-interpreter')], { waitStart: true });
  await expect(task.connection.start()).rejects.toThrow('no such file or directory');
  await expect(task.connection.exited).rejects.toThrow('the connection to the monitor ended');
  await task.connection.exited.catch(() => undefined);
  await until('the socket is gone', () => !existsSync(path.join(task.dir, 'monitor.sock')));
  expect(readdirSync(task.dir)).toEqual(['pid']);
});

test('the control connection may go; START and the exit work over monitor.sock', async () => {
  const task = await world.launch(shell('exit 5'), { waitStart: true });
  task.connection.close();
  const later = await task.connect();
  await later.watch();
  const watcher = await task.connect();
  await watcher.watch();
  expect(await later.start()).toMatchObject({ phase: 'started', initPid: task.pid });
  expect((await later.exited).code).toBe(5);
  expect((await watcher.exited).code).toBe(5);
  later.close();
  watcher.close();
});

test('START twice is refused', async () => {
  const task = await world.launch(['sleep', '60'], { waitStart: true });
  await task.connection.start();
  const again = await task.connect();
  expect(await again.start().catch((error: Error) => error.message)).toContain('the process does not wait for its start');
  again.close();
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('START may come with the program: the process goes on once it is there', async () => {
  const launch = async (argv: readonly string[]) => {
    const dir = world.path(`early-${argv.at(-1)?.replaceAll('/', '-')}`);
    return { dir, ...(await world.launcher.launch(monitored(dir, argv, { waitStart: true }), { start: true })) };
  };
  const { dir, connection, report } = await launch(shell('exit 6'));
  expect(report.phase).toBe('created');
  expect(await connection.start()).toMatchObject({ phase: 'started', initPid: report.initPid });
  expect((await connection.exited).code).toBe(6);
  expect(existsSync(path.join(dir, 'started'))).toBe(true);
  connection.close();
  writeFileSync(world.path('no-interpreter-either'), '#!/nonexistent\n', { mode: 0o755 });
  const failing = await launch([world.path('no-interpreter-either')]);
  await expect(failing.connection.start()).rejects.toThrow('no such file or directory');
  await expect(failing.connection.exited).rejects.toThrow('the connection to the monitor ended');
  await expect(launch(['no-such-program'])).rejects.toThrow('executable file not found in $PATH');
  await expect(
    world.launcher.launch(monitored(world.path('early-at-once'), ['sleep', '60'], {}), { start: true }).then(async ({ connection: other }) => {
      const refused = await other.start().catch((error: Error) => error.message);
      await other.kill(9);
      throw new Error(refused as string);
    }),
  ).rejects.toThrow('the process does not wait for its start');
});

test('a program without a monitor ends with its control connection before the start', async () => {
  const operations = monitored('', ['true'], { waitStart: true }).slice(1);
  const { connection, report } = await world.launcher.launch(operations);
  expect(alive(report.initPid)).toBe(true);
  connection.close();
  await until('the process is gone', () => !alive(report.initPid));
});

test('oom kills are read before the cleanup removes them, and a failed cleanup is told', async () => {
  writeFileSync(world.path('events'), 'low 0\noom 3\noom_kill 2\noom_group_kill 7\n');
  const task = await world.launch(['true'], {
    oomFile: world.path('events'),
    cleanup: [
      { op: 'unlink', side: 'host', path: world.path('events') },
      { op: 'rmdir', side: 'host', path: '/proc/self', timeoutMs: 0 },
      { op: 'mkdir', side: 'host', path: world.path('after'), mode: 0o700 },
    ],
  });
  const exit = await task.connection.exited;
  task.connection.close();
  expect(exit.oomKills).toBe(2);
  expect(exit.cleanupFailure?.index).toBe(6);
  expect(existsSync(world.path('events'))).toBe(false);
  expect(existsSync(world.path('after'))).toBe(true);
});

test('orphans are reaped, and one that holds the output is waited for shortly', async () => {
  const task = await world.launch(shell('sleep 61 & (true & true & true &); echo $!; sleep 0.05; exec sleep 0.05'), { log: world.path('orphans') });
  const start = performance.now();
  const monitor = Number(readFileSync(path.join(task.dir, 'pid'), 'utf8').split(' ')[2]);
  expect(await task.code()).toBe(0);
  expect(performance.now() - start).toBeWithin(50, 2000);
  const orphan = Number((JSON.parse(world.read('orphans')) as { log: string }).log);
  await until('the monitor is gone', () => !alive(monitor));
  expect(alive(orphan)).toBe(true);
  process.kill(orphan, 'SIGKILL');
});

test('without an orphan the exit waits for nothing', async () => {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    const task = await world.launch(['true'], { cloneFlags: newPid });
    expect(await task.code()).toBe(0);
    times.push(performance.now() - start);
  }
  // Whatever else the machine does meanwhile: the wait for an orphan would be in each.
  expect(Math.min(...times)).toBeLessThan(90);
});

test('signals: one process, its group, what is gone, what is no signal', async () => {
  const task = await world.launch(shell('trap "exit 3" USR1; echo ready; sleep 0.2 & wait'), { waitStart: true, inside: [{ op: 'setsid', side: 'init' }] });
  const client = await task.attachAndStart();
  expect((await client.output[Symbol.asyncIterator]().next()).value?.data.toString()).toBe('ready\n');
  await expect(task.connection.kill(99)).rejects.toMatchObject({ fields: { errno: 'EINVAL' } });
  await task.connection.kill(10);
  expect((await client.ended)?.code).toBe(3);
  await expect(task.connection.kill(9)).rejects.toMatchObject({ code: expect.stringMatching(/NotFound|Unavailable/) });
  task.connection.close();

  const group = await world.launch(shell('sleep 62 & echo $!; wait'), { waitStart: true, inside: [{ op: 'setsid', side: 'init' }] });
  const output = (await group.attachAndStart()).output[Symbol.asyncIterator]();
  const child = Number((await output.next()).value?.data.toString());
  await group.connection.kill(9, { group: true });
  expect(await group.code()).toBe(137);
  await until('the child is gone', () => !alive(child));
});

test('the group of a process without a session of its own is the monitor’s: refused', async () => {
  const task = await world.launch(['sleep', '60']);
  await expect(task.connection.kill(15, { group: true })).rejects.toMatchObject({ code: 'PermissionDenied' });
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

/* --- attached clients */

test('output reaches every client, whole and before the exit', async () => {
  const task = await world.launch(shell('seq 1 20000; echo done >&2; exit 4'), { waitStart: true });
  const clients = await Promise.all([task.attach(), task.attach(), task.attach({ stderr: false }), task.attach({ stdout: false })]);
  await task.connection.start();
  const outputs = await Promise.all(clients.map(collect));
  const numbers = Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join('');
  expect(outputs.map(({ stdout }) => stdout === numbers)).toEqual([true, true, true, false]);
  expect(outputs.map(({ stderr }) => stderr)).toEqual(['done\n', 'done\n', '', 'done\n']);
  for (const { ended } of clients) expect((await ended)?.code).toBe(4);
  expect(await task.code()).toBe(4);
});

test.each<[string, number, number]>([
  ['bytes through cat', stdin, 5_000_000],
  ['nothing but the end', stdin, 0],
])('stdin: %s', async (_, flags, length) => {
  const task = await world.launch(['cat'], { flags });
  const client = await task.attach({ stdin: true });
  const input = Buffer.alloc(length, 'stdin of a container\n');
  const output = collect(client);
  await client.writeStdin(input);
  await client.closeStdin();
  expect((await output).stdout === input.toString()).toBe(true);
  expect(await task.code()).toBe(0);
});

test('without stdin the process reads its end at once', async () => {
  const task = await world.launch(['cat']);
  expect(await task.code()).toBe(0);
});

test.each<[string, number, boolean, boolean]>([
  ['stays open when a client leaves', stdin, false, false],
  ['once: closes with the first client', stdin | stdinOnce, false, true],
  ['once, kept: stays open', stdin | stdinOnce, true, false],
])('stdin %s', async (_, flags, keepStdin, closes) => {
  const task = await world.launch(['cat'], { flags, log: world.path('once') });
  const first = await task.attach({ stdin: true, keepStdin });
  await first.writeStdin(Buffer.from('first\n'));
  expect((await first.output[Symbol.asyncIterator]().next()).value?.data.toString()).toBe('first\n');
  first.close();
  if (!closes) {
    const second = await task.attach({ stdin: true });
    await second.writeStdin(Buffer.from('second\n'));
    expect((await second.output[Symbol.asyncIterator]().next()).value?.data.toString()).toBe('second\n');
    await second.closeStdin();
  }
  expect(await task.code()).toBe(0);
});

test('stdin that nobody reads is bounded, and its client may go', async () => {
  const task = await world.launch(['sleep', '60'], { flags: stdin });
  const monitor = Number(readFileSync(path.join(task.dir, 'pid'), 'utf8').split(' ')[2]);
  const residentKiB = () => Number(statusOf(monitor, 'VmRSS')?.replace(' kB', ''));
  const before = residentKiB();
  const client = await task.attach({ stdin: true });
  const writing = client.writeStdin(Buffer.alloc(8 << 20)).catch(() => 'closed');
  const waited = await Promise.race([writing, new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);
  expect(waited).toBe('waits');
  expect(residentKiB() - before).toBeLessThan(1024);
  client.close();
  await writing;
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('a process that closes its stdin does not hold its client', async () => {
  const task = await world.launch(shell('exec 0<&-; echo closed; exec sleep 60'), { flags: stdin, waitStart: true });
  const client = await task.attachAndStart({ stdin: true });
  expect((await client.output[Symbol.asyncIterator]().next()).value?.data.toString()).toBe('closed\n');
  await client.writeStdin(Buffer.alloc(4 << 20));
  await client.closeStdin();
  client.close();
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('a client that does not read holds the output back, and lets it go when it leaves; the log has all', async () => {
  const task = await world.launch(shell('seq 1 1000000'), { waitStart: true, log: world.path('held'), cri: true });
  const stalled = await task.attach();
  const reader = await task.attach();
  const output = collect(reader);
  await task.connection.start();
  let size = -1;
  await until('the log stands still', () => {
    const now = statSync(world.path('held')).size;
    const still = now === size && now > 0;
    size = now;
    return still;
  });
  expect(alive(task.pid)).toBe(true);
  stalled.close();
  expect((await output).stdout.length).toBe(6888896);
  expect(await task.code()).toBe(0);
  expect(world.read('held').trimEnd().split('\n').length).toBe(1000000);
});

test('clients that come and go leave nothing in the monitor', async () => {
  const task = await world.launch(['sleep', '60'], { flags: stdin });
  const monitor = Number(readFileSync(path.join(task.dir, 'pid'), 'utf8').split(' ')[2]);
  const descriptors = () => readdirSync(`/proc/${monitor}/fd`).length;
  const before = descriptors();
  for (let i = 0; i < 300; i++) {
    const client = await task.attach({ stdin: i % 2 === 0 });
    if (i % 3 === 0) void client.writeStdin(Buffer.from('x')).catch(() => undefined);
    client.close();
  }
  await until('the clients are gone', () => descriptors() === before);
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('nonsense on monitor.sock costs its sender the connection alone', async () => {
  const task = await world.launch(['sleep', '60']);
  for (const bytes of ['', '\0', `\x16\0\0\0\0\0\0\x01x`, '\x63\0\0\0\0\0\0\0', '\0\0\0\0\xff\xff\xff\xff', 'GET / HTTP/1.1\r\n\r\n']) {
    const socket = connect(path.join(task.dir, 'monitor.sock'));
    socket.end(Buffer.from(bytes, 'latin1'));
    // Unread bytes make it a reset instead of an end.
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.resume().once('close', resolve));
  }
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

/* --- terminals */

const openTerminal = { op: 'terminal', side: 'init', rows: 24, cols: 80 } as const;
const onTerminal = { waitStart: true, flags: terminal | stdin, inside: [{ op: 'setsid', side: 'init' }, openTerminal] } as const;

test('a terminal: size, resize, echo, end', async () => {
  const task = await world.launch(shell('stty size; read a; stty size; read b || echo end; tty'), onTerminal);
  const client = await task.attachAndStart({ stdin: true });
  const output = collect(client);
  await task.connection.resize(50, 132);
  await client.writeStdin(Buffer.from('go\n'));
  await client.closeStdin();
  const { stdout, stderr } = await output;
  expect(stdout.replace('24 80\r\n', '').replace('50 132\r\n', '').split('\r\n').slice(0, 1)).toEqual(['go']);
  expect(stdout).toContain('50 132\r\n');
  expect(stdout).toMatch(/end\r\n\/dev\/pts\/\d+\r\n$/);
  expect(stderr).toBe('');
  expect(await task.code()).toBe(0);
});

test('a terminal that was closed by everybody is read again when it is opened again', async () => {
  const task = await world.launch(shell('tty=$(tty); echo one; exec 0<&- 1>&- 2>&-; sleep 0.05; exec 1>$tty; echo two; sleep 0.3; echo three'), onTerminal);
  const client = await task.attachAndStart();
  expect((await collect(client)).stdout).toBe('one\r\ntwo\r\nthree\r\n');
  expect(await task.code()).toBe(0);
});

test('a terminal’s client that goes away ends nothing, also with stdin once', async () => {
  const task = await world.launch(shell('read a; echo "$a"; read b; exit 6'), { ...onTerminal, flags: terminal | stdin | stdinOnce });
  const first = await task.attachAndStart({ stdin: true });
  await first.writeStdin(Buffer.from('one\n'));
  expect((await first.output[Symbol.asyncIterator]().next()).done).toBe(false);
  first.close();
  const second = await task.attach({ stdin: true });
  await second.writeStdin(Buffer.from('two\n'));
  expect(await task.code()).toBe(6);
  second.close();
});

test('^C on a terminal reaches the process', async () => {
  const task = await world.launch(shell('echo ready; exec sleep 60'), onTerminal);
  const client = await task.attachAndStart({ stdin: true });
  const output = client.output[Symbol.asyncIterator]();
  expect((await output.next()).value?.data.toString()).toBe('ready\r\n');
  await client.writeStdin(Buffer.from('\x03'));
  expect((await client.ended)?.signal).toBe(2);
  expect(await task.code()).toBe(130);
});

test('resize without a terminal is refused', async () => {
  const task = await world.launch(['sleep', '60']);
  await expect(task.connection.resize(1, 1)).rejects.toMatchObject({ fields: { errno: 'ENOTTY' } });
  await task.connection.kill(9);
  expect(await task.code()).toBe(137);
});

test('who still sends stdin when the process has ended loses no output by it', async () => {
  const task = await world.launch(shell('echo last words'), { flags: monitorFlags.stdin, waitStart: true });
  const socket = connect({ path: path.join(task.dir, 'monitor.sock') });
  const failures: Error[] = [];
  socket.on('error', (error) => failures.push(error));
  socket.write(encodeFrame(frameTypes.attach, Uint8Array.of(7, 0, 0, 0)));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  await task.connection.start();
  await until('the exit is written down', () => existsSync(path.join(task.dir, 'exit')));
  socket.write(encodeFrame(frameTypes.stdinEof));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(failures).toEqual([]);
  expect(Buffer.concat(chunks).toString('latin1')).toContain('last words\n');
  task.connection.close();
});
