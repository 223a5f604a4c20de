import { afterAll, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { MonitorAttachment } from '../../src/kernel/launch/index.ts';
import type { Op } from '../../src/kernel/program/index.ts';
import { collect, environment, monitored, monitorFlags, shell, until, World } from './monitored.ts';

const world = new World();
afterAll(async () => await world[Symbol.asyncDispose]());
const { terminal, stdin } = monitorFlags;
const streams = { stdout: 1, stderr: 2, both: 3 };
const timeoutMs = 10_000;
let count = 0;

function fifo(): string {
  const path = world.path(`fifo${++count}`);
  const { exitCode } = Bun.spawnSync(['mkfifo', path]);
  expect(exitCode).toBe(0);
  return path;
}

/** What comes out of a FIFO, in a process of its own: opening one waits for the other side. */
function reader(path: string, script = 'exec cat') {
  const child = spawn('sh', ['-c', `exec < "$0"; ${script}`, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, output: text(child.stdout) };
}

const outputFifo = (path: string, which: number): Op => ({ op: 'output_fifo', side: 'host', streams: which, path, timeoutMs });

test('output goes into FIFOs, each stream into its own, whoever opens first', async () => {
  const [out, err] = [fifo(), fifo()];
  const readers = [reader(out), reader(err)];
  const task = await world.launch(shell('echo one; echo two >&2; exit 3'), { stdio: [outputFifo(out, streams.stdout), outputFifo(err, streams.stderr)] });
  expect(await task.code()).toBe(3);
  expect(await Promise.all(readers.map(({ output }) => output))).toEqual(['one\n', 'two\n']);
});

test('a megabyte through one FIFO: the reader sets the pace, nothing is lost at the end', async () => {
  const path = fifo();
  const { output } = reader(path);
  const task = await world.launch(shell('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo err >&2'), { stdio: [outputFifo(path, streams.both)] });
  expect(await task.code()).toBe(0);
  const got = await output;
  expect(got.length).toBe(1_000_005);
  expect(got).toContain('err\n');
});

test('a reader may leave and another one come: the process learns nothing of it', async () => {
  const path = fifo();
  const first = reader(path, 'head -n 1');
  const task = await world.launch(shell('echo first; read go; echo second; exit 4'), { flags: stdin, stdio: [outputFifo(path, streams.both)] });
  expect(await first.output).toBe('first\n');
  const second = reader(path);
  // One that comes after the process has ended waits for a writer in vain.
  await until('the second reader is there', () => readlinkSync(`/proc/${second.child.pid}/fd/0`) === path);
  const attachment = await task.attach({ stdin: true });
  await attachment.writeStdin(Buffer.from('go\n'));
  expect(await second.output).toBe('second\n');
  expect(await task.code()).toBe(4);
});

test('a FIFO that nobody reads fails the launch; so does what is none', async () => {
  const path = fifo();
  const late = world.launch(['true'], { stdio: [{ op: 'output_fifo', side: 'host', streams: 3, path, timeoutMs: 50 }] });
  await expect(late).rejects.toThrow(`reader of ${path}`);
  writeFileSync(world.path('plain'), '');
  await expect(world.launch(['true'], { stdio: [outputFifo(world.path('plain'), 3)] })).rejects.toThrow('plain is not a FIFO');
  await expect(world.launch(['true'], { stdio: [outputFifo(world.path('absent'), 3)] })).rejects.toThrow('absent');
  await expect(world.launch(['true'], { stdio: [{ op: 'input_fifo', side: 'host', path: world.path('plain') }] })).rejects.toThrow('plain is not a FIFO');
});

test('stdin from a FIFO ends when it is let end and its last writer has left, not before', async () => {
  const [input, output] = [fifo(), fifo()];
  const { output: got } = reader(output);
  const task = await world.launch(shell('cat; echo end'), {
    flags: stdin,
    stdio: [{ op: 'input_fifo', side: 'host', path: input }, outputFifo(output, streams.both)],
  });
  const write = async (data: string) => {
    await using file = await open(input, 'w');
    await file.write(data);
  };
  await write('one\n');
  await write('two\n');
  await task.connection.closeStdin();
  expect(await task.code()).toBe(0);
  expect(await got).toBe('one\ntwo\nend\n');
});

test('a terminal over FIFOs', async () => {
  const [input, output] = [fifo(), fifo()];
  const { output: got } = reader(output);
  const inside: Op[] = [
    { op: 'setsid', side: 'init' },
    { op: 'mount_fs', side: 'init', target: '/dev/pts', fstype: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    { op: 'terminal', side: 'init', rows: 5, cols: 6, console: 0 },
  ];
  const task = await world.launch(shell('read line; stty size; echo "got $line"'), {
    flags: terminal,
    cloneFlags: 0x2_0000,
    inside: [{ op: 'propagation', side: 'init', path: '/', flags: 0x4_4000 }, ...inside],
    stdio: [{ op: 'input_fifo', side: 'host', path: input }, outputFifo(output, streams.stdout)],
  });
  await using file = await open(input, 'w');
  await file.write('hello\n');
  expect(await task.code()).toBe(0);
  expect(await got).toBe('hello\r\n5 6\r\ngot hello\r\n');
});

test('a file is made with its directories, and appended to; attached clients and the log see the same', async () => {
  const path = world.path('logs/deep/out');
  const stdio: Op[] = [{ op: 'output_file', side: 'host', streams: streams.both, path }];
  for (const word of ['one', 'two']) {
    const task = await world.launch(shell(`echo ${word}`), { stdio, waitStart: true, log: world.path(`${word}.log`) });
    const attachment = await task.attachAndStart();
    expect((await collect(attachment)).stdout).toBe(`${word}\n`);
    expect(await task.code()).toBe(0);
    expect(world.read(`${word}.log`)).toContain(`"log":"${word}\\n"`);
  }
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
});

const logger = (script: string, limit = timeoutMs): Op => ({
  op: 'output_program',
  side: 'host',
  argv: ['/bin/sh', '-c', script, world.dir],
  env: [...environment, 'CONTAINER_ID=log me'],
  timeoutMs: limit,
});

test('a logging program reads both streams to their end, and has ended when the monitor has', async () => {
  const script =
    'echo "$CONTAINER_ID" > $0/logged-id; exec 5>&-; cat <&3 > $0/logged-out & cat <&4 > $0/logged-err & exec 3<&- 4<&-; wait; echo all > $0/logged-all';
  const task = await world.launch(shell('echo out; echo err >&2; exit 6'), { stdio: [logger(script)] });
  expect((await task.connection.exited).code).toBe(6);
  await task.connection.ended;
  expect(['logged-id', 'logged-out', 'logged-err', 'logged-all'].map((name) => world.read(name))).toEqual(['log me\n', 'out\n', 'err\n', 'all\n']);
});

test('a logging program that is never ready fails the launch; one that dies does not end the process', async () => {
  await expect(world.launch(['true'], { stdio: [logger('exec sleep 1000', 100)] })).rejects.toThrow('logging program /bin/sh');
  const task = await world.launch(shell('read go; echo on; echo on; exit 7'), { flags: stdin, stdio: [logger('exit 0')] });
  const attachment = await task.attach({ stdin: true });
  await attachment.writeStdin(Buffer.from('go\n'));
  expect((await collect(attachment)).stdout).toBe('on\non\n');
  expect(await task.code()).toBe(7);
});

/* --- processes that another runtime makes */

/** An OCI runtime as far as its life goes: `create` leaves a process that waits, whose output is the caller's. What `exec` makes ends as soon as the shell is gone, which might reap it. */
function fakeRuntime(): string {
  const path = world.path('runtime');
  writeFileSync(
    path,
    `#!/bin/sh
set -e
case "$1" in
create) mkfifo "$2.go"; (read go < "$2.go"; eval "$3") & echo $! > "$2" ;;
start) echo go > "$2.go" ;;
exec) (while kill -0 $$ 2> /dev/null; do sleep 0.01; done; eval "$3") & echo $! > "$2" ;;
fail) echo "no such thing" >&2; exit 9 ;;
esac
`,
    { mode: 0o755 },
  );
  return path;
}

function made(dir: string, verbs: { readonly create: readonly string[]; readonly start: readonly string[] }, pidFile: string): Op[] {
  const path = fakeRuntime();
  const [monitor] = monitored(dir, []);
  if (monitor === undefined) throw new Error('no monitor');
  const words = (rest: readonly string[]) => (rest.length === 0 ? [] : [path, ...rest]);
  return [
    monitor,
    { op: 'oci_runtime', side: 'host', path, create: words(verbs.create), start: words(verbs.start), env: environment, pidFile, timeoutMs },
    { op: 'reap', side: 'host' },
  ];
}

test('a process that a runtime creates: its pid, its start, its exit', async () => {
  const [dir, pidFile] = [world.path('made'), world.path('made.pid')];
  const { connection, report } = await world.launcher.launch(made(dir, { create: ['create', pidFile, 'echo up; exit 5'], start: ['start', pidFile] }, pidFile));
  expect(report).toMatchObject({ phase: 'created', initPid: Number(readFileSync(pidFile, 'utf8')) });
  expect(world.read('made/pid')).toStartWith(`${report.initPid} ${report.initStartTime} `);
  expect(await connection.start()).toMatchObject({ phase: 'started', initPid: report.initPid });
  expect((await connection.exited).code).toBe(5);
  connection.close();
});

test('one that the start makes has its pid from then on, however short it lives', async () => {
  const pidFile = world.path('short.pid');
  const { connection, report } = await world.launcher.launch(made(world.path('short'), { create: [], start: ['exec', pidFile, 'exit 8'] }, pidFile));
  expect(report).toMatchObject({ phase: 'created', initPid: 0 });
  await expect(connection.kill(9)).rejects.toThrow();
  expect((await connection.start()).initPid).toBe(Number(readFileSync(pidFile, 'utf8')));
  expect((await connection.exited).code).toBe(8);
  connection.close();
});

test('killed before its start: an exit like others', async () => {
  const [dir, pidFile] = [world.path('killed'), world.path('killed.pid')];
  const { connection } = await world.launcher.launch(made(dir, { create: ['create', pidFile, 'true'], start: ['start', pidFile] }, pidFile));
  await connection.kill(9);
  expect(await connection.exited).toMatchObject({ code: 137, signal: 9 });
  connection.close();
});

test('a runtime that fails is the failure of the launch, or of the start', async () => {
  const pidFile = world.path('failed.pid');
  // Directories of their own: a monitor that ends takes its socket away a moment after its report.
  const launch = (dir: string, create: string[], start: string[]) => world.launcher.launch(made(world.path(dir), { create, start }, pidFile));
  await expect(launch('unmade', ['fail'], [])).rejects.toThrow('exit status 9');
  const { connection, report } = await launch('failed', [], ['fail']);
  expect(report.initPid).toBe(0);
  const attachment = await MonitorAttachment.open(world.path('failed/monitor.sock'), { stdin: false, stdout: true, stderr: true });
  await expect(connection.start()).rejects.toThrow('exit status 9');
  // Its words are not the process's.
  expect(await collect(attachment)).toEqual({ stdout: '', stderr: '' });
  await expect(connection.exited).rejects.toThrow('the connection to the monitor ended');
  await until('the socket is gone', () => !existsSync(world.path('failed/monitor.sock')));
});
