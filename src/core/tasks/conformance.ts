import { afterAll, expect, test } from 'bun:test';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { allDirectories, cgroupDirectories, readCgroupLayout } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import type { RuntimeChoice } from '../containers/containers.ts';
import { rejection } from '../fixtures.ts';
import { stdioOfUris } from './stdio-uri.ts';
import type { Attachment, CreateTask, OciRuntimeBinary, TaskManager } from './tasks.ts';

export interface TaskPlace extends AsyncDisposable {
  readonly tasks: TaskManager;
  /** Topics and container ids of what was published so far. */
  readonly events: () => readonly string[];
  /** Resolves once one like this has been told; events of another process come when they come. */
  readonly told?: (event: string) => Promise<void>;
}

/** Events as they are told, and waited for. */
export class ToldEvents {
  readonly all: string[] = [];
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();

  add(event: string): void {
    this.all.push(event);
    this.#waiting.get(event)?.resolve();
  }

  async wait(event: string): Promise<void> {
    if (this.all.includes(event)) return;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(event, waiting);
    await waiting.promise;
  }
}

/** Of this run alone: the same tests may run beside it. */
const testCgroup = `/strake-tasks-${process.pid}`;

export function removeTestCgroup(): void {
  for (const dir of allDirectories(cgroupDirectories(readCgroupLayout(), testCgroup))) if (existsSync(dir)) rmdirSync(dir);
}

const stdio = { terminal: false, openStdin: false, stdinOnce: false };

/** A shell of the host in namespaces of its own, over the host's root, read-only. */
export function hostShellTask(id: string, script: string, options: Partial<CreateTask> = {}): CreateTask {
  return { id, spec: shellSpec(id, script), rootfs: { type: 'bind', source: '/', readonly: true }, stdio, ...options };
}

function shellSpec(id: string, script: string): RuntimeSpec {
  return {
    ociVersion: '1.3.0',
    process: {
      cwd: '/',
      args: ['sh', '-c', script],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'] },
    ],
    linux: {
      cgroupsPath: `${testCgroup}/${id}`,
      namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }, { type: 'network' }],
      resources: { pids: { limit: 50 } },
    },
  };
}

async function collect(attachment: Attachment): Promise<Readonly<Record<'stdout' | 'stderr', string>>> {
  const parts = { stdout: '', stderr: '' };
  for await (const { stream, data } of attachment.output) parts[stream] += Buffer.from(data).toString();
  return parts;
}

const both = { stdin: false, stdout: true, stderr: true };

export interface TaskConformanceOptions {
  /** Of another containerd, or of shims: streams lead to its clients alone, and errors are in its words. */
  readonly isRemote?: boolean;
  /** The real containerd, whose cgroups are out of sight, and whose shim may end before it has told of the deletion. */
  readonly isPeer?: boolean;
  /** For every task: another OCI runtime. */
  readonly runtime?: OciRuntimeBinary;
  /** For every task. */
  readonly shim?: RuntimeChoice;
  /** What the runtime says of a command that is not there, at its creation and as an exec. */
  readonly missing?: { readonly create: string; readonly exec: string };
}

const ourMissing = {
  create: 'NotFound: exec: "no-such-command": executable file not found in $PATH',
  exec: 'NotFound: exec: "absent": executable file not found in $PATH',
};

/** containerd's own words, around runc's. */
const theirMissing = {
  create:
    'Internal: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "no-such-command": executable file not found in $PATH',
  exec: 'Internal: OCI runtime exec failed: exec failed: unable to start container process: exec: "absent": executable file not found in $PATH',
};

/** What every TaskManager does alike. `open` gives one without tasks. */
export function tasksConformance(
  open: () => Promise<TaskPlace>,
  { runtime, shim, isRemote = false, isPeer = false, missing = isRemote ? theirMissing : ourMissing }: TaskConformanceOptions = {},
): void {
  afterAll(removeTestCgroup);
  const shellTask = (id: string, script: string, options: Partial<CreateTask> = {}): CreateTask =>
    hostShellTask(id, script, { ...options, ...(runtime === undefined ? {} : { runtime }), ...(shim === undefined ? {} : { shim }) });

  test('created, started, ended: states, output from the first byte, exit code, events', async () => {
    await using place = await open();
    const { tasks, events } = place;
    const task = await tasks.create(shellTask('life', 'echo out; echo err >&2; exit 7'));
    expect(task.state().status).toBe('created');
    expect(tasks.get('life')).toBe(task);
    expect(await rejection(tasks.create(shellTask('life', 'true')))).toBe('AlreadyExists: task life exists already');
    const output = collect(await task.attach(both));
    await task.start();
    expect(await rejection(task.start())).toMatch(/^FailedPrecondition: cannot start life: it is (running|stopped)$/);
    expect(await task.wait()).toMatchObject({ code: 7, signal: 0, oomKilled: false });
    expect(await output).toEqual({ stdout: 'out\n', stderr: 'err\n' });
    expect(task.state()).toMatchObject({ status: 'stopped', exit: { code: 7 } });
    expect(await rejection(task.kill(9))).toBe('NotFound: cannot kill life: process already finished');
    expect((await task.delete()).code).toBe(7);
    expect((await task.delete()).code).toBe(7);
    expect(() => tasks.get('life')).toThrow('no task life');
    const life = ['/tasks/create life', '/tasks/start life', '/tasks/exit life', ...(isPeer ? [] : ['/tasks/delete life'])];
    await place.told?.(life.at(-1) ?? '');
    expect(events().slice(0, life.length)).toEqual(life);
  });

  test('one whose start is asked for with its creation: the start may be over before anybody waits for it', async () => {
    await using place = await open();
    const { tasks, events } = place;
    const task = await tasks.create(shellTask('at-once', 'exit 3', { startsAtOnce: true }));
    await delay(50);
    await task.start();
    expect(await rejection(task.start())).toMatch(/^FailedPrecondition: cannot start at-once: it is (running|stopped)$/);
    expect(await task.wait()).toMatchObject({ code: 3 });
    await task.delete();
    const life = ['/tasks/create at-once', '/tasks/start at-once', '/tasks/exit at-once'];
    expect(events().slice(0, life.length)).toEqual(life);
  });

  test('a command that is not there fails the create, in the runtime’s words, and leaves nothing', async () => {
    await using place = await open();
    const absent = shellTask('missing', 'true');
    const spec = { ...absent.spec, process: { ...absent.spec.process, cwd: '/', args: ['no-such-command'] } };
    expect(await rejection(place.tasks.create({ ...absent, spec }))).toBe(missing.create);
    expect(place.tasks.list()).toEqual([]);
    const task = await place.tasks.create(shellTask('missing', 'true'));
    await task.start();
    expect((await task.wait()).code).toBe(0);
    await task.delete();
  });

  test('a task that never started can be deleted; one that runs cannot', async () => {
    await using place = await open();
    const created = await place.tasks.create(shellTask('created', 'true'));
    expect(await created.delete()).toMatchObject({ code: 137, signal: 9 });
    const running = await place.tasks.create(shellTask('running', 'sleep 1000'));
    await running.start();
    expect(await rejection(running.delete())).toBe('FailedPrecondition: cannot delete running: it is running');
    await running.kill(9);
    expect(await running.wait()).toMatchObject({ code: 137, signal: 9 });
    await running.delete();
  });

  test('signals reach the process; waiting can be given up', async () => {
    await using place = await open();
    const task = await place.tasks.create(shellTask('signal', "trap 'exit 12' USR1; echo up; while :; do sleep 0.02; done"));
    const attachment = await task.attach(both);
    await task.start();
    for await (const { data } of attachment.output) if (Buffer.from(data).toString() === 'up\n') break;
    attachment.close();
    const given = new AbortController();
    const waiting = task.wait(given.signal);
    given.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    await task.kill(10);
    expect((await task.wait()).code).toBe(12);
    await task.delete();
  });

  test('stdin to its end', async () => {
    await using place = await open();
    const task = await place.tasks.create(shellTask('stdin', 'cat; echo done', { stdio: { terminal: false, openStdin: true, stdinOnce: true } }));
    const attachment = await task.attach({ ...both, stdin: true });
    const output = collect(attachment);
    await task.start();
    await attachment.writeStdin(Buffer.from('x'.repeat(200_000)));
    await attachment.closeStdin();
    expect((await output).stdout).toBe(`${'x'.repeat(200_000)}done\n`);
    await task.wait();
    await task.delete();
  });

  test('streams through FIFOs: the end of stdin is the caller’s, a file gets both streams', async () => {
    await using place = await open();
    if (isRemote) {
      const elsewhere = stdioOfUris({ stdin: '', stdout: '/x', stderr: '', terminal: false }, { id: 'routes', namespace: 'default' });
      expect(await rejection(place.tasks.create(shellTask('routes', 'true', { stdio: elsewhere })))).toBe(
        'Unimplemented: streams that lead elsewhere: not with another containerd',
      );
      return;
    }
    const dir = mkdtempSync(path.join(tmpdir(), 'strake-stdio-'));
    const [stdin, stdout, file] = ['in', 'out', 'file'].map((name) => path.join(dir, name)) as [string, string, string];
    execFileSync('mkfifo', [stdin, stdout]);
    const reader = spawn('cat', [stdout], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = text(reader.stdout);
    const fifos = stdioOfUris({ stdin, stdout, stderr: stdout, terminal: false }, { id: 'routes', namespace: 'default' });
    const task = await place.tasks.create(shellTask('routes', 'cat; echo done >&2', { stdio: fifos }));
    await task.start();
    const writer = openSync(stdin, 'w');
    writeSync(writer, 'through\n');
    closeSync(writer);
    await task.closeStdin();
    expect((await task.wait()).code).toBe(0);
    expect(await output).toBe('through\ndone\n');
    await task.delete();
    const logged = stdioOfUris({ stdin: '', stdout: `file://${file}`, stderr: `file://${file}`, terminal: false }, { id: 'routes', namespace: 'default' });
    const again = await place.tasks.create(shellTask('routes', 'echo one; echo two >&2', { stdio: logged }));
    await again.start();
    await again.wait();
    expect(readFileSync(file, 'utf8').split('\n').toSorted()).toEqual(['', 'one', 'two']);
    await again.delete();
    rmSync(dir, { recursive: true });
  });

  test('a terminal has a size, and gets another', async () => {
    await using place = await open();
    const script = "trap 'stty size; exit 3' WINCH; stty size; while :; do sleep 0.02; done";
    const task = await place.tasks.create(
      shellTask('terminal', script, { stdio: { terminal: true, openStdin: true, stdinOnce: false, consoleSize: { rows: 11, cols: 22 } } }),
    );
    const attachment = await task.attach(both);
    await task.start();
    let seen = '';
    for await (const { stream, data } of attachment.output) {
      expect(stream).toBe('stdout');
      seen += Buffer.from(data).toString();
      if (seen === '11 22\r\n') await task.resize(33, 44);
    }
    expect(seen).toBe('11 22\r\n33 44\r\n');
    expect((await task.wait()).code).toBe(3);
    await task.delete();
  });

  test('exec: a second process with its own streams and exit code', async () => {
    await using place = await open();
    const task = await place.tasks.create(shellTask('host', 'sleep 1000'));
    const process = { cwd: '/', args: ['sh', '-c', 'echo $A; exit 5'], env: ['PATH=/usr/bin:/bin', 'A=inner'], user: { uid: 0, gid: 0 } };
    expect(await rejection(task.exec({ execId: 'early', process, stdio }))).toBe('FailedPrecondition: cannot exec in host: it is created');
    await task.start();
    const exec = await task.exec({ execId: 'one', process, stdio });
    expect(task.getExec('one')).toBe(exec);
    const output = collect(await exec.attach(both));
    await exec.start();
    expect((await exec.wait()).code).toBe(5);
    expect((await output).stdout).toBe('inner\n');
    expect(task.getExec('one')).toBe(undefined);
    const absent = async () => await (await task.exec({ execId: 'two', process: { ...process, args: ['absent'] }, stdio })).start();
    expect(await rejection(absent())).toBe(missing.exec);
    await task.kill(9);
    await task.wait();
    await task.delete();
    await place.told?.('/tasks/exec-started host');
    const named = place
      .events()
      .filter((event) => event.includes('exec'))
      .slice(0, 2);
    expect(named).toEqual(['/tasks/exec-added host', '/tasks/exec-started host']);
  });

  test('pause, resume, processes, statistics, new limits', async () => {
    await using place = await open();
    const task = await place.tasks.create(shellTask('busy', 'while :; do :; done'));
    await task.start();
    const state = task.state();
    await task.pause();
    expect(task.state().status).toBe('paused');
    expect(await rejection(task.pause())).toBe('FailedPrecondition: cannot pause busy: it is paused');
    const frozen = (await task.stats()).cpu.usageNs;
    expect((await task.stats()).cpu.usageNs).toBe(frozen);
    await task.resume();
    expect(task.state().status).toBe('running');
    expect(await task.pids()).toContain(state.pid);
    if (!isPeer) expect((await task.stats()).pids).toEqual({ current: 1n, limit: 50n });
    await task.update({ pids: { limit: 40 } });
    if (!isPeer) expect((await task.stats()).pids.limit).toBe(40n);
    await task.pause();
    await task.kill(9);
    await task.resume().catch(() => undefined);
    expect((await task.wait()).code).toBe(137);
    await task.delete();
  });

  test('ids are names of directories, and nothing else', async () => {
    await using place = await open();
    for (const id of ['../x', '', '.', 'a/b', 'a\0', 'x'.repeat(200)])
      expect(await rejection(place.tasks.create(shellTask(id, 'true')))).toStartWith('InvalidArgument: invalid task id');
  });
}
