/** The verbs of the command line on one container each, their effect read in the kernel. The model of a runtime test file (test/README.md). */
import { describe, expect, test } from 'bun:test';
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lib/until.ts';
import { isFrozen, readCgroup, receiveConsole, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

describe('create, start, kill, delete', () => {
  test('the init waits at its start, runs, and is gone after delete', async () => {
    await using container = await runtime.current.create();
    expect(await container.state()).toMatchObject({
      ociVersion: '1.3.0',
      id: container.id,
      pid: container.pid,
      status: 'created',
      bundle: container.bundle.dir,
    });
    expect(container.status('NSpid')).toMatch(/\s1$/);
    expect(container.file('etc/passwd')).toContain('www-data');

    await container.start();
    expect(await container.state()).toMatchObject({ pid: container.pid, status: 'running' });
    // As with runc, `start` may be back before execve is.
    await until('the command line of sleep', () => container.proc('cmdline') === 'sleep\x001000\x00');
    expect(container.proc('cgroup')).toContain(`/${container.id}`);

    await container.kill('TERM'); // busybox's sleep as pid 1 has no handler: the kernel drops it
    expect(container.alive).toBe(true);
    await container.kill('KILL');
    await container.ended();
    expect(await container.state()).toMatchObject({ pid: 0, status: 'stopped' });
    await container.delete();
    const gone = await runtime.current.runtime(['state', container.id]);
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain('container does not exist');
    expect(existsSync(join(runtime.current.root, container.id))).toBe(false);
  });

  test('a running container is deleted by force alone', async () => {
    await using container = await runtime.current.running();
    const refused = await runtime.current.runtime(['delete', container.id]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`cannot delete container ${container.id} that is not stopped: running`);
    expect(container.alive).toBe(true);
    await container.delete(['--force']);
    expect(container.alive).toBe(false);
  });

  test('an id is taken once', async () => {
    await using container = await runtime.current.create();
    const second = await runtime.current.runtime(['create', '--bundle', container.bundle.dir, container.id]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('container with given ID already exists');
    expect(container.alive).toBe(true);
  });
});

describe('run', () => {
  test('passes output and exit status on, and leaves nothing', async () => {
    const finished = await runtime.current.run((spec) => {
      spec.process.args = ['sh', '-c', 'echo out; echo err >&2; exit 7'];
    });
    expect(finished).toMatchObject({ code: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test('a signal that ends the init is 128+N', async () => {
    const finished = await runtime.current.run((spec) => {
      spec.process.args = ['sh', '-c', 'sh -c "kill -KILL \\$\\$"; exit $?'];
    });
    expect(finished.code).toBe(137);
  });

  test('--console-socket sends the master of the terminal', async () => {
    await using console = await receiveConsole(runtime.current);
    await using container = await runtime.current.running(
      (spec) => {
        spec.process['terminal'] = true;
        spec.process['consoleSize'] = { height: 33, width: 120 };
        spec.process.args = ['sh', '-c', 'stty size; read line; echo "got $line"'];
      },
      ['--console-socket', console.path],
    );
    expect(await console.received()).toMatchObject({ rows: 33, columns: 120, descriptor: '/dev/pts/ptmx' });
    await console.shows(/33 120/);
    console.type('hello\n');
    await console.shows(/got hello/);
    await container.ended();
  });
});

describe('exec', () => {
  test('joins every namespace and the cgroup of the init', async () => {
    await using container = await runtime.current.running();
    const links = await container.output(['sh', '-c', 'for n in cgroup ipc mnt net pid uts; do readlink /proc/self/ns/$n; done']);
    const own = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts'].map((name) => readlinkSync(runtime.current.world.procPath(container.pid, 'ns', name)));
    expect(links.split('\n')).toEqual(own);
    expect(await container.output(['cat', '/proc/self/cgroup'])).toBe(await container.output(['cat', '/proc/1/cgroup']));
  });

  test.each([
    { name: 'the exit status', args: ['sh', '-c', 'exit 3'], code: 3 },
    { name: 'a command that is not there', args: ['nothing-such'], code: 255 },
  ])('$name', async ({ args, code }) => {
    await using container = await runtime.current.running();
    expect(await container.exec(args)).toMatchObject({ code, stdout: '' });
  });

  test('--detach writes a pid file and returns at once', async () => {
    await using container = await runtime.current.running();
    const pidFile = join(container.bundle.dir, 'exec.pid');
    const finished = await runtime.current.detached(
      ['exec', '--detach', '--pid-file', pidFile, container.id, 'sleep', '500'],
      join(container.bundle.dir, 'exec.log'),
    );
    expect(finished.code).toBe(0);
    const pids = (await runtime.current.output(['ps', '--format', 'json', container.id])).trim();
    expect(JSON.parse(pids)).toEqual([container.pid, Number(await Bun.file(pidFile).text())].sort((a, b) => a - b));
  });
});

describe('pause and resume', () => {
  test('freeze every process, and are seen in the state', async () => {
    await using container = await runtime.current.running();
    await runtime.current.output(['pause', container.id]);
    expect(await container.state()).toMatchObject({ status: 'paused' });
    expect(isFrozen(container.cgroup)).toBe(true);
    await runtime.current.output(['resume', container.id]);
    expect(await container.state()).toMatchObject({ status: 'running' });
    expect(isFrozen(container.cgroup)).toBe(false);
  });
});

describe('ps and list', () => {
  test('name the processes and the containers', async () => {
    await using first = await runtime.current.running();
    await using second = await runtime.current.create();
    expect(await runtime.current.output(['ps', first.id])).toMatch(new RegExp(`^UID .*\\n.*\\b${first.pid}\\b.*sleep 1000$`, 'm'));
    const listed = JSON.parse(await runtime.current.output(['list', '--format', 'json'])) as { readonly id: string; readonly status: string }[];
    const statuses = Object.fromEntries(listed.map(({ id, status }) => [id, status]));
    expect(statuses).toEqual({ [first.id]: 'running', [second.id]: 'created' });
    expect((await runtime.current.output(['list', '--quiet'])).trim().split('\n')).toEqual([first.id, second.id].sort());
  });
});

describe('update and events', () => {
  test('change limits of a live container, and report what it uses', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources = { ...spec.linux.resources, memory: { limit: 64 << 20 }, pids: { limit: 50 } };
    });
    expect(readCgroup(container.cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(64 << 20));
    await runtime.current.output(['update', '--memory', String(96 << 20), '--pids-limit', '77', container.id]);
    expect(readCgroup(container.cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(96 << 20));
    expect(readCgroup(container.cgroup, 'pids', 'pids.max', 'pids.max')).toBe('77');
    const stats = JSON.parse(await runtime.current.output(['events', '--stats', container.id])) as {
      readonly type: string;
      readonly id: string;
      readonly data: { readonly memory: { readonly usage: { readonly limit: number; readonly usage: number } }; readonly pids: { readonly current: number } };
    };
    expect(stats).toMatchObject({ type: 'stats', id: container.id, data: { memory: { usage: { limit: 96 << 20 } }, pids: { current: 1 } } });
    expect(stats.data.memory.usage.usage).toBeGreaterThan(0);
  });
});
