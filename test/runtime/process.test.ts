/** The process of a container as its configuration wants it, read in the kernel (runtime-spec config.md, "Process"; config-linux.md). */
import { describe, expect, test } from 'bun:test';
import { chmodSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { receivePidfd, type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

/** Fields of /proc/PID/stat behind the name, by their numbers in proc_pid_stat(5). */
const statField = (stat: string, number: number) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[number - 3]);

describe('environment', () => {
  const home = async (uid: number, env: readonly string[], passwd?: string) => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'echo "$HOME"; env | sort'];
      spec.process.env = ['PATH=/bin:/usr/bin', ...env];
      spec.process['user'] = { uid, gid: 0 };
    });
    if (passwd !== undefined) writeFileSync(join(bundle.rootfs, 'etc/passwd'), passwd);
    return (await runtime.current.run(bundle)).stdout.split('\n')[0];
  };

  test('HOME is the user’s in the container’s passwd, and / without an entry', async () => {
    const passwd = '# a comment\nroot:x:0:0:root:/root:/bin/sh\nother:x:4321:1:Some One:/home/other:/bin/sh\n';
    expect(await home(0, [], passwd)).toBe('/root');
    expect(await home(4321, [], passwd)).toBe('/home/other');
    expect(await home(4321, ['HOME='], passwd)).toBe('/home/other');
    expect(await home(4321, ['HOME=/mine'], passwd)).toBe('/mine');
    expect(await home(999, [], passwd)).toBe('/');
  });

  test('a passwd that is no list of users harms nothing', async () => {
    expect(await home(0, [], '')).toBe('/');
    expect(await home(0, [], 'root\n:::\nroot:x:0\nx:x:-0:0:::\n')).toBe('/');
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'echo "$HOME"'];
      spec.mounts.push(
        { destination: '/etc', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/etc/passwd', type: 'bind', source: '/dev/zero', options: ['bind'] },
      );
    });
    expect((await runtime.current.run(bundle)).stdout).toBe('/\n');
  });

  test('the last of equal variables counts', async () => {
    expect(
      await runtime.current.shell('env | grep ^ONE', (spec) => {
        spec.process.env.push('ONE=1', 'ONE=2');
      }),
    ).toBe('ONE=2');
  });
});

test('limits, scheduling, affinity, score, execution domain and mask', async () => {
  await using container = await runtime.current.running((spec) => {
    Object.assign(spec.process, {
      rlimits: [
        { type: 'RLIMIT_CORE', soft: 1, hard: 2 },
        { type: 'RLIMIT_STACK', soft: 1048576, hard: 2097152 },
      ],
      oomScoreAdj: 300,
      scheduler: { policy: 'SCHED_BATCH', nice: 7 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
      user: { uid: 1000, gid: 1001, umask: 0o077, additionalGids: [5, 6] },
    });
    spec.linux['personality'] = { domain: 'LINUX32' };
    spec.linux['memoryPolicy'] = { mode: 'MPOL_INTERLEAVE', nodes: '0' };
  });
  const limits = container.proc('limits').replace(/ +/g, ' ');
  expect(limits).toContain('Max core file size 1 2 bytes');
  expect(limits).toContain('Max stack size 1048576 2097152 bytes');
  expect(container.proc('oom_score_adj').trim()).toBe('300');
  const stat = container.proc('stat');
  expect([statField(stat, 41), statField(stat, 19)]).toEqual([3, 7]);
  expect(container.proc('personality').trim()).toBe('00000008');
  expect(container.proc('numa_maps').split('\n')[0]).toContain(' interleave:0 ');
  expect(container.status('Umask')).toBe('0077');
  expect(container.status('Uid').split(/\s+/)).toEqual(['1000', '1000', '1000', '1000']);
  expect(container.status('Gid').split(/\s+/)).toEqual(['1001', '1001', '1001', '1001']);
  expect(container.status('Groups').trim()).toBe('5 6');
});

test('what the caller may run on is not the container’s limit', async () => {
  const all = readFileSync('/proc/1/status', 'utf8').match(/^Cpus_allowed_list:\s*(.*)$/m)?.[1];
  const dir = runtime.current.bundle((spec) => {
    spec.process.args = ['grep', 'Cpus_allowed_list', '/proc/self/status'];
  }).dir;
  const { stdout } = await runtime.current.world.run(['taskset', '-c', '0', ...runtime.current.argv(['run', '--bundle', dir, 'affinity'])]);
  expect(stdout.split(/\s+/)[1]).toBe(all);
});

test('capabilities: the five sets, and warnings for what is unknown or cannot be raised', async () => {
  const finished = await runtime.current.run((spec) => {
    spec.process.args = ['grep', '^Cap', '/proc/self/status'];
    spec.process['capabilities'] = {
      bounding: ['CAP_CHOWN', 'CAP_KILL', 'CAP_UNKNOWN'],
      effective: ['CAP_CHOWN'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      inheritable: ['CAP_CHOWN'],
      ambient: ['CAP_CHOWN', 'CAP_KILL'],
    };
    spec.process['user'] = { uid: 1000, gid: 1000 };
  });
  const set = (name: string) => new RegExp(`^Cap${name}:\\s*0*([0-9a-f]+)$`, 'm').exec(finished.stdout)?.[1];
  expect([set('Bnd'), set('Eff'), set('Prm'), set('Inh'), set('Amb')]).toEqual(['21', '1', '1', '1', '1']);
  expect(finished.stderr).toContain('ignoring unknown or unavailable capabilities: [CAP_UNKNOWN]');
  expect(finished.stderr).toContain("can't raise ambient capability CAP_KILL: operation not permitted");
});

/** A container whose root is nobody on the host: its bundle has to be reachable for others. */
async function inUserNamespace(patch: (spec: TestSpec) => void) {
  const bundle = runtime.current.bundle(patch);
  for (const dir of [runtime.current.world.work, bundle.dir]) chmodSync(dir, 0o711);
  return await runtime.current.running(bundle);
}

describe('namespaces', () => {
  test('time, with offsets, is owned by the container’s user namespace: another container joins all of them', async () => {
    await using first = await inUserNamespace((spec) => {
      spec.linux.namespaces.push({ type: 'user' }, { type: 'time' });
      spec.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
      spec.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
      spec.linux['timeOffsets'] = { boottime: { secs: 1337, nanosecs: 5 }, monotonic: { secs: 7881 } };
    });
    expect((await first.output(['cat', '/proc/self/timens_offsets'])).replace(/ +/g, ' ')).toBe('monotonic 7881 0\nboottime 1337 5');
    const kinds = ['user', 'pid', 'network', 'ipc', 'uts', 'time'] as const;
    const file = (kind: (typeof kinds)[number]) =>
      `/proc/${first.pid}/ns/${{ network: 'net', pid: 'pid', user: 'user', ipc: 'ipc', uts: 'uts', time: 'time' }[kind]}`;
    await using second = await inUserNamespace((spec) => {
      spec['hostname'] = '';
      spec.linux.namespaces = [{ type: 'mount' }, ...kinds.map((type) => ({ type, path: file(type) }))];
      spec.mounts = spec.mounts.filter(({ type }) => type !== 'sysfs' && type !== 'cgroup' && type !== 'mqueue');
    });
    for (const name of ['user', 'pid', 'net', 'ipc', 'uts', 'time']) {
      const link = (pid: number) => readlinkSync(runtime.current.world.procPath(pid, 'ns', name));
      expect(`${name} ${link(second.pid)}`).toBe(`${name} ${link(first.pid)}`);
    }
  });
});

describe('descriptors', () => {
  test('--preserve-fds and socket activation hand on what the caller has open, and nothing else', async () => {
    const dir = runtime.current.bundle((spec) => {
      spec.process.args = ['sh', '-c', 'ls /proc/self/fd; cat <&3; cat <&4; echo "$LISTEN_FDS $LISTEN_PID"'];
    }).dir;
    const argv = runtime.current.argv(['run', '--bundle', dir, '--preserve-fds', '1', 'descriptors']);
    const script = 'echo three >"$0/3"; echo four >"$0/4"; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<"$0/3" 4<"$0/4" 5<"$0/3"';
    const { stdout, stderr } = await runtime.current.world.run(['sh', '-c', script, dir, ...argv]);
    expect(stderr).toBe('');
    // The fifth is that of the listing itself.
    expect(stdout).toBe('0\n1\n2\n3\n4\n5\nthree\nfour\n1 1\n');
  });

  test('one that is not open is an error', async () => {
    const finished = await runtime.current.run(undefined, ['--preserve-fds', '9']);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('unable to stat preserved-fd');
  });

  test('--pidfd-socket gets a pidfd of the init', async () => {
    await using receiver = await receivePidfd(runtime.current);
    await using container = await runtime.current.create(undefined, ['--pidfd-socket', receiver.path]);
    const received = await receiver.received();
    expect(received.message).toBe('standard');
    expect(received.pid).toBe(container.pid);
  });
});

test('who waits for its start is ended by SIGTERM', async () => {
  await using container = await runtime.current.create();
  await container.kill('TERM');
  await container.ended();
  expect((await container.state()).status).toBe('stopped');
});

test('a network device moves in under a new name, with its addresses', async () => {
  const world = runtime.current.world;
  await world.output(['ip', 'link', 'add', 'moving0', 'type', 'veth', 'peer', 'name', 'staying0']);
  await world.output(['ip', 'address', 'add', '10.11.12.13/24', 'dev', 'moving0']);
  await world.output(['ip', 'address', 'add', '127.0.0.9/32', 'dev', 'moving0', 'scope', 'host']);
  const finished = await runtime.current.run((spec) => {
    spec.linux['netDevices'] = { moving0: { name: 'lan0' } };
    spec.process.args = ['ip', '-o', 'address', 'show', 'dev', 'lan0'];
  });
  expect(finished.stderr).toBe('');
  expect(finished.stdout).toContain('10.11.12.13/24');
  expect(finished.stdout).not.toContain('127.0.0.9');
  // The kernel removes a virtual device with its namespace.
  expect(await world.output(['ip', '-o', 'link'])).not.toContain('moving0');
  const missing = await runtime.current.run((spec) => {
    spec.linux['netDevices'] = { moving0: {} };
  });
  expect(missing.stderr).toContain('link not found for interface moving0 on runtime namespace');
});

describe('refused before anything is made', () => {
  const cases: readonly (readonly [string, (spec: { process: Record<string, unknown>; linux: Record<string, unknown> }) => void, string])[] = [
    ['intelRdt without resctrl', ({ linux }) => (linux['intelRdt'] = {}), 'intelRdt is specified in config, but Intel RDT is not enabled'],
    [
      'a SELinux label without SELinux',
      ({ process }) => (process['selinuxLabel'] = 'l'),
      'selinux label is specified in config, but selinux is disabled or not supported',
    ],
    ['a policy of nobody', ({ process }) => (process['scheduler'] = { policy: 'SCHED_X' }), 'unknown policy "SCHED_X"'],
    ['a variable without a name', ({ process }) => (process['env'] = ['=x']), 'invalid environment variable: name cannot be empty'],
  ];
  for (const [name, patch, message] of cases)
    test(name, async () => {
      const finished = await runtime.current.run((spec) => patch(spec));
      expect(finished.code).toBe(1);
      expect(finished.stderr.replaceAll('\\"', '"')).toContain(message);
    });
});
