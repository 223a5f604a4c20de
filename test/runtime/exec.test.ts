/** Processes that join a running container: what each flag of `exec` and each field of a process.json does, read in the kernel. */
import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cgroupFile, readCgroup, receiveConsole, receivePidfd, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

describe('flags', () => {
  test('user, groups, directory, variables, capabilities, no_new_privs', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process['user'] = { uid: 5, gid: 6, umask: 0o027 };
      spec.process['noNewPrivileges'] = false;
      spec.process.env.push('KEPT=1');
    });
    const script = 'id; pwd; umask; echo "$KEPT$MORE"; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status';
    const flags = ['--user', '7', '--additional-gids', '8', '-g', '9', '--cwd', '/bin', '-e', 'MORE=2', '--cap', 'CAP_SYS_TIME', '--no-new-privs'];
    const [id, cwd, mask, words, effective, privileges] = (await container.output(['sh', '-c', script], flags)).split('\n');
    expect(id).toMatch(/^uid=7\S* gid=6\S* groups=8\S*,9\S*$/);
    expect([cwd, mask, words, privileges]).toEqual(['/bin', '0027', '12', 'NoNewPrivs:\t1']);
    // A user that is not root has what is ambient or inheritable alone: nothing here.
    expect(effective).toBe('CapEff:\t0000000000000000');
    const asRoot = await container.output(['grep', '^CapPrm', '/proc/self/status'], ['--user', '0:0', '--cap', 'CAP_SYS_TIME']);
    expect(BigInt(`0x${asRoot.split('\t')[1]}`) & (1n << 25n)).toBe(1n << 25n);
  });

  test('--process has what it does not say from the container', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process['user'] = { uid: 0, gid: 0, umask: 0o077 };
      spec.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
    });
    const file = join(container.bundle.dir, 'process.json');
    writeFileSync(file, JSON.stringify({ cwd: '/tmp', args: ['sh', '-c', 'pwd; umask; ulimit -n; echo "$A"'], env: ['PATH=/bin', 'A=b'] }));
    const plain = await container.exec([], ['--process', file]);
    expect(plain.stdout).toBe('/tmp\n0077\n100\nb\n');
    writeFileSync(file, JSON.stringify({ cwd: '/', args: ['/bin/sh', '-c', 'ulimit -n'], env: [], rlimits: [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 128 }] }));
    expect((await container.exec([], ['--process', file])).stdout).toBe('64\n');
  });

  test('--detach, --pid-file and --pidfd-socket', async () => {
    await using container = await runtime.current.running();
    await using receiver = await receivePidfd(runtime.current);
    const pidFile = join(container.bundle.dir, 'exec.pid');
    const flags = ['--detach', '--pid-file', pidFile, '--pidfd-socket', receiver.path];
    await runtime.current.detached(['exec', ...flags, container.id, 'sleep', '1000'], join(container.bundle.dir, 'exec.log'));
    const { message, pid } = await receiver.received();
    expect(message).toBe('setns');
    expect(container.world.world.proc(pid, 'cmdline')).toBe('sleep\x001000\x00');
    expect(await container.output(['sh', '-c', 'grep -l sleep /proc/[0-9]*/comm | wc -l'])).toBe('2');
  });

  test('a terminal has the size of the process.json', async () => {
    await using container = await runtime.current.running();
    await using console = await receiveConsole(runtime.current);
    const file = join(container.bundle.dir, 'process.json');
    writeFileSync(
      file,
      JSON.stringify({
        terminal: true,
        consoleSize: { height: 21, width: 77 },
        cwd: '/',
        args: ['sh', '-c', 'stty size; read x'],
        env: ['PATH=/bin:/usr/bin'],
      }),
    );
    const flags = ['--detach', '--process', file, '--console-socket', console.path];
    await runtime.current.detached(['exec', ...flags, container.id], join(container.bundle.dir, 'exec.log'));
    await console.shows(/21 77/);
    console.type('\n');
  });

  test('CPU affinity: the container’s, then what is asked for', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process['execCPUAffinity'] = { initial: '0', final: '1' };
    });
    const list = async (flags: readonly string[] = []) => (await container.output(['grep', 'Cpus_allowed_list', '/proc/self/status'], flags)).split('\t')[1];
    expect(await list()).toBe('1');
    expect(container.status('Cpus_allowed_list').trim()).not.toBe('1');
  });

  test('--preserve-fds', async () => {
    await using container = await runtime.current.running();
    const argv = runtime.current.argv(['exec', '--preserve-fds', '2', container.id, 'cat', '/proc/self/fd/4']);
    const { stdout } = await runtime.current.world.run([
      'sh',
      '-c',
      'echo handed >"$0/file"; exec "$@" 3</dev/null 4<"$0/file"',
      container.bundle.dir,
      ...argv,
    ]);
    expect(stdout).toBe('handed\n');
  });
});

describe('--cgroup', () => {
  test('joins a cgroup below the container’s, and none beside it', async () => {
    await using container = await runtime.current.running();
    const procs = cgroupFile(container.cgroup, 'pids', 'cgroup.procs', 'cgroup.procs');
    const below = join(dirname(procs), 'below');
    mkdirSync(below);
    const v1 = container.cgroup.directories.has('pids');
    const script = 'cat /proc/self/cgroup';
    const joined = await container.output(['sh', '-c', script], ['--cgroup', v1 ? 'pids:below' : 'below']);
    expect(joined).toMatch(v1 ? /:pids:\S*\/below$/m : /^0::\S*\/below$/m);
    expect(await container.output(['sh', '-c', script], ['--cgroup', '/'])).not.toContain('below');
    for (const [flag, message] of [
      ['..', 'bad sub cgroup path: ..'],
      [v1 ? 'pids:none' : 'none', 'no such file or directory'],
    ] as const) {
      const refused = await container.exec(['true'], ['--cgroup', flag]);
      expect(refused.code).toBe(255);
      expect(refused.stderr).toContain(message);
    }
    expect(readCgroup(container.cgroup, 'pids', 'cgroup.procs', 'cgroup.procs')).not.toBe('');
  });
});

describe('refusals', () => {
  const words: readonly (readonly [readonly string[], readonly string[], string])[] = [
    [[], [], 'exec args cannot be empty'],
    [['/no/such'], [], 'exec: "/no/such": stat /no/such: no such file or directory'],
    [['none'], [], 'exec: "none": executable file not found in $PATH'],
    [['true'], ['--user', '-1'], 'invalid id "-1"'],
    [['true'], ['--preserve-fds', '7'], 'unable to stat preserved-fd'],
    [['true'], ['--apparmor', 'profile'], 'apparmor is not enabled on this machine'],
    [['true'], ['--process-label', 'label'], 'selinux label is specified in config, but selinux is disabled or not supported'],
  ];
  test('name what is wrong, with status 255', async () => {
    await using container = await runtime.current.running();
    for (const [args, flags, message] of words) {
      const { code, stderr } = await container.exec(args, flags);
      expect([code, stderr.replaceAll('\\"', '"').includes(message) || stderr]).toEqual([255, true]);
    }
  });

  test('a container without a process is made, and refuses its start', async () => {
    await using container = await runtime.current.create((spec) => {
      delete (spec as Partial<typeof spec>).process;
    });
    const refused = await runtime.current.runtime(['start', container.id]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('cannot start a container without a process');
    await container.ended();
  });
});
