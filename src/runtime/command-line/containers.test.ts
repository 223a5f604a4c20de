import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProcessSpec, RuntimeSpec } from '../../oci/index.ts';
import { defaultSpec } from '../default-spec.ts';

/** Real containers from a busybox root, through the command line as a person has it, checked in the kernel. Needs root and dist/. */
const repository = path.join(import.meta.dirname, '../../..');
const runtime = path.join(repository, 'dist/strake-runc');
const busybox = '/bin/busybox';
const ready = process.getuid?.() === 0 && existsSync(runtime) && existsSync(busybox);
const applets = ['sh', 'id', 'cat', 'true', 'sleep', 'hostname', 'mount', 'touch', 'stat', 'ls', 'grep', 'env', 'pwd'];

let work = '';
let counter = 0;

function bundle(process: Partial<ProcessSpec> & { readonly args: readonly string[] }, change: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec): string {
  const dir = path.join(work, `bundle${counter++}`);
  mkdirSync(path.join(dir, 'rootfs/bin'), { recursive: true });
  copyFileSync(busybox, path.join(dir, 'rootfs/bin/busybox'));
  for (const applet of applets) symlinkSync('busybox', path.join(dir, 'rootfs/bin', applet));
  const spec = defaultSpec();
  const base = { ...spec, process: { ...(spec.process as ProcessSpec), terminal: false, ...process } };
  writeFileSync(path.join(dir, 'config.json'), JSON.stringify(change(base)));
  return dir;
}

/** A name that nothing else on the machine has. */
const newId = () => `${path.basename(work)}-${counter++}`;

/** The container's directories in every hierarchy, a line each. */
const cgroupsOf = (id: string) => spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', id], { encoding: 'utf8' }).stdout;

function runc(...args: string[]) {
  // A created container keeps its caller's stdio: a pipe of ours would never end.
  const log = path.join(work, `log${counter++}`);
  const { status, stdout } = spawnSync(runtime, ['--root', path.join(work, 'state'), '--log', log, '--log-format', 'json', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', args[0] === 'create' ? 'ignore' : 'pipe', 'ignore'],
    timeout: 30_000,
  });
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [''];
  return { status, stdout: stdout ?? '', error: lines[0] === '' ? '' : (JSON.parse(lines[0] ?? '') as { readonly msg: string }).msg };
}

describe.skipIf(!ready)('strake-runc', () => {
  beforeAll(() => {
    work = mkdtempSync(path.join(tmpdir(), 'strake-runc-'));
  });
  afterAll(() => {
    rmSync(work, { recursive: true, force: true });
  });

  test('run: identity, limits and root are as configured, and nothing stays', () => {
    const dir = bundle(
      {
        args: [
          'sh',
          '-c',
          'id; hostname; pwd; grep -E "^(Cap|NoNew|Umask)" /proc/self/status; cat /proc/self/oom_score_adj; touch /x 2>/dev/null || echo read-only; touch /scratch/y && ls /scratch; ls /proc/self/fd | grep -v 3',
        ],
        user: { uid: 1000, gid: 1001, umask: 0o027, additionalGids: [1001, 27] },
        cwd: '/work',
        oomScoreAdj: 500,
      },
      (spec) => ({
        ...spec,
        hostname: 'box',
        mounts: [...(spec.mounts ?? []), { destination: '/scratch', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] }],
      }),
    );
    const id = newId();
    const result = runc('run', '-b', dir, id);
    expect(result.stdout.split('\n')).toEqual([
      'uid=1000 gid=1001 groups=27,1001',
      'box',
      '/work',
      'Umask:\t0027',
      'CapInh:\t0000000000000000',
      'CapPrm:\t0000000000000000',
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000020000420',
      'CapAmb:\t0000000000000000',
      'NoNewPrivs:\t1',
      '500',
      'read-only',
      'y',
      '0',
      '1',
      '2',
      '',
    ]);
    expect(existsSync(path.join(work, 'state', id))).toBe(false);
    expect(cgroupsOf(id)).toBe('');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
  });

  test('create, start, state, exec, pause, update, kill, delete', () => {
    const dir = bundle({ args: ['sleep', '1000'] });
    const id = newId();
    const pidFile = path.join(dir, 'pid');
    try {
      expect(runc('create', '-b', dir, '--pid-file', pidFile, id)).toEqual({ status: 0, stdout: '', error: '' });
      const pid = Number(readFileSync(pidFile, 'utf8'));
      expect(cgroupsOf(id)).not.toBe('');
      const state = () => JSON.parse(runc('state', id).stdout) as { status: string; pid: number; bundle: string };
      expect(state()).toMatchObject({ status: 'created', pid, bundle: dir });
      expect(runc('create', '-b', dir, id).error).toStartWith('runc create failed: container with given ID already exists');
      expect(runc('start', id).status).toBe(0);
      expect(state().status).toBe('running');
      expect(runc('start', id).error).toBe('cannot start an already running container');
      const exec = runc('exec', '--user', '5:6', '--cwd', '/bin', '--env', 'A=b', id, 'sh', '-c', 'id; pwd; echo $A; exit 9');
      expect(exec).toEqual({ status: 9, stdout: 'uid=5 gid=6\n/bin\nb\n', error: '' });
      // What to do about it is for people: the log has runc's words alone.
      expect(runc('exec', id, 'nosuch')).toMatchObject({
        status: 255,
        error: 'exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
      });
      expect(runc('pause', id).status).toBe(0);
      expect(state().status).toBe('paused');
      expect(runc('exec', id, 'true').error).toBe('exec failed: cannot exec in a paused container (use --ignore-paused to override)');
      expect(runc('resume', id).status).toBe(0);
      expect(runc('update', '--pids-limit', '33', id).status).toBe(0);
      expect((JSON.parse(runc('events', '--stats', id).stdout) as { data: { pids: object } }).data.pids).toEqual({ current: 1, limit: 33 });
      expect(JSON.parse(runc('ps', '-f', 'json', id).stdout)).toEqual([pid]);
      expect(runc('list', '-q').stdout).toBe(`${id}\n`);
      expect(runc('delete', id).error).toBe(`cannot delete container ${id} that is not stopped: running`);
      expect(runc('kill', id, 'KILL').status).toBe(0);
      expect(runc('delete', '--force', id).status).toBe(0);
      expect(runc('state', id)).toMatchObject({ status: 1, error: 'container does not exist' });
      expect(runc('delete', id).error).toBe('container does not exist');
      expect(cgroupsOf(id)).toBe('');
    } finally {
      runc('delete', '--force', id);
    }
  }, 20_000);

  test('the status of a process that ends at once is not lost', () => {
    const dir = bundle({ args: ['sh', '-c', 'exit 7'] });
    const statuses = new Set(Array.from({ length: 60 }, () => runc('run', '-b', dir, 'short').status));
    expect(statuses).toEqual(new Set([7]));
  }, 20_000);

  const failures: readonly (readonly [string, Partial<ProcessSpec> & { readonly args: readonly string[] }, string])[] = [
    ['a missing command', { args: ['nosuch'] }, 'exec: "nosuch": executable file not found in $PATH'],
    ['a missing file', { args: ['/nosuch'] }, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
    ['a directory', { args: ['/bin'] }, 'exec: "/bin": is a directory'],
  ];
  for (const [name, process, message] of failures)
    test(`create of ${name} says so and leaves nothing`, () => {
      const id = newId();
      const result = runc('create', '-b', bundle(process), id);
      expect(result).toEqual({
        status: 1,
        stdout: '',
        error: expect.stringContaining(`runc create failed: unable to start container process: error during container init: ${message}`),
      });
      expect(existsSync(path.join(work, 'state', id))).toBe(false);
      expect(cgroupsOf(id)).toBe('');
    });

  test('a working directory that leads out through /proc is refused', () => {
    for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/1/root/proc/self/cwd']) {
      const result = runc('run', '-b', bundle({ args: ['pwd'], cwd }), 'cwd1');
      expect(result.status).toBe(1);
      expect(result.stdout).toBe('');
      expect(result.error).toMatch(/^runc run failed: unable to start container process: error during container init: (mkdir_in|chdir): /);
    }
  });

  test('a user namespace maps root and hides the host', () => {
    const dir = bundle({ args: ['sh', '-c', 'id; cat /proc/self/uid_map; touch /in; stat -c %u /in'] }, (spec) => ({
      ...spec,
      root: { path: 'rootfs' },
      mounts: (spec.mounts ?? []).filter(({ destination }) => ['/proc', '/dev'].includes(destination)),
      linux: {
        ...spec.linux,
        namespaces: [...(spec.linux?.namespaces ?? []), { type: 'user' }],
        uidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
        gidMappings: [{ containerID: 0, hostID: 0, size: 1000 }],
      },
    }));
    const result = runc('run', '-b', dir, 'user1');
    expect(result).toEqual({ status: 0, stdout: 'uid=0 gid=0\n         0          0       1000\n0\n', error: '' });
  });
});
