/** The runtime of an ordinary user: id maps, cgroups where they are delegated, and what such a container may not do. */
import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, existsSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { strakeDist } from '../lib/dist.ts';
import { until } from '../lib/until.ts';
import { cgroupVersion, ordinaryUser, readCgroup, receiveConsole, subordinate, type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld(ordinaryUser);
const { uid, become } = ordinaryUser;

/** The user's own id as root's, and all subordinate ones behind it. */
function wide(spec: TestSpec): void {
  spec.linux['uidMappings'] = [
    { containerID: 0, hostID: uid, size: 1 },
    { containerID: 1, hostID: subordinate.uid, size: subordinate.count },
  ];
  spec.linux['gidMappings'] = [
    { containerID: 0, hostID: uid, size: 1 },
    { containerID: 1, hostID: subordinate.gid, size: subordinate.count },
  ];
}

describe('id maps', () => {
  test('the own id alone needs no helper, and groups cannot be left any more', async () => {
    const script = 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep CapEff /proc/self/status';
    const printed = (await runtime.current.shell(script)).replace(/ +/g, ' ').split('\n');
    expect(printed).toEqual(['0', '0', ` 0 ${uid} 1`, ` 0 ${uid} 1`, 'deny', 'CapEff:\t0000000020000420']);
  });

  test('newuidmap and newgidmap write the others', async () => {
    await using container = await runtime.current.running((spec) => {
      wide(spec);
      spec.process['user'] = { uid: 33, gid: 50 };
    });
    expect(container.status('Uid')).toBe(
      Array(4)
        .fill(subordinate.uid + 32)
        .join('\t'),
    );
    expect(container.status('Gid')).toBe(
      Array(4)
        .fill(subordinate.gid + 49)
        .join('\t'),
    );
    expect(container.proc('status')).toMatch(/^Groups:\s*\nNStgid/m);
    expect(await container.output(['sh', '-c', 'touch /tmp/x && stat -c "%u %g" /tmp/x'])).toBe('33 50');
    const { uid: owner, gid: group } = statSync(join(container.bundle.rootfs, 'tmp/x'));
    expect([owner, group]).toEqual([subordinate.uid + 32, subordinate.gid + 49]);
    expect(await container.output(['id', '-u'], ['--user', '1:1'])).toBe('1');
  });

  test('a map that /etc/subuid does not give is told with the words of newuidmap, and leaves nothing', async () => {
    const { code, stderr } = await runtime.current.run((spec) => {
      wide(spec);
      spec.linux['uidMappings'] = [
        { containerID: 0, hostID: uid, size: 1 },
        { containerID: 1, hostID: 5_000_000, size: 10 },
      ];
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/id_map_helper: \/\S*newuidmap: newuidmap: uid range \[1-11\) -> \[5000000-5000010\) not allowed: operation not permitted/);
  });

  const refusals: readonly (readonly [string, (spec: TestSpec) => void, string])[] = [
    [
      'no user namespace',
      (spec) => Object.assign(spec.linux, { namespaces: [{ type: 'mount' }, { type: 'uts' }], uidMappings: [], gidMappings: [] }),
      'rootless container requires user namespaces',
    ],
    [
      'supplementary groups',
      (spec) => Object.assign(spec.process, { user: { uid: 0, gid: 0, additionalGids: [5] } }),
      'cannot set any additional groups in a rootless container',
    ],
    ['an id that is not mapped', (spec) => Object.assign(spec.process, { user: { uid: 7, gid: 0 } }), 'user 7: invalid argument'],
  ];
  for (const [name, patch, message] of refusals)
    test(`refuses ${name}`, async () => {
      const { code, stderr } = await runtime.current.run(patch);
      expect(code).toBe(1);
      expect(stderr).toContain(message);
    });
});

describe('lifecycle', () => {
  test('create, start, exec, kill, delete', async () => {
    await using container = await runtime.current.create();
    expect((await container.state()).status).toBe('created');
    await container.start();
    expect(await container.output(['sh', '-c', 'id -u; echo $(cat /proc/1/comm); test -c /dev/null && echo > /dev/null && hostname'])).toBe('0\nsleep\nstrake');
    expect(await container.exec(['sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(container.proc('oom_score_adj').trim()).toBe('0');
    await container.kill();
    await container.ended();
    await container.delete();
    expect(existsSync(join(runtime.current.root, container.id))).toBe(false);
  });

  test('a terminal through a console socket', async () => {
    await using console = await receiveConsole(runtime.current);
    chmodSync(console.path, 0o777);
    await using container = await runtime.current.create(
      (spec) => {
        spec.process['terminal'] = true;
        spec.process.args = ['sh', '-c', 'test -t 0 && tty'];
      },
      ['--console-socket', console.path],
    );
    await container.start();
    await console.shows(/\/dev\/(console|pts\/0)/);
  });

  test('the score of the OOM killer is raised, and not lowered', async () => {
    expect(await runtime.current.shell('cat /proc/self/oom_score_adj', (spec) => Object.assign(spec.process, { oomScoreAdj: 700 }))).toBe('700');
    const { code, stderr } = await runtime.current.run((spec) => Object.assign(spec.process, { oomScoreAdj: -500 }));
    expect(code).toBe(1);
    expect(stderr).toContain('oom_score_adj -500: permission denied');
    await using container = await runtime.current.running();
    const process = join(container.bundle.dir, 'process.json');
    await runtime.current.world.output(['sh', '-c', `echo '{"cwd":"/","args":["/bin/cat","/proc/self/oom_score_adj"],"oomScoreAdj":300}' > ${process}`]);
    expect(await container.output([], ['--process', process])).toBe('300');
  });

  test('the state is in $XDG_RUNTIME_DIR, sticky, and another user sees nothing of it', async () => {
    const directory = join(runtime.current.world.work, 'xdg');
    mkdirSync(directory, { mode: 0o700 });
    chownSync(directory, uid, uid);
    await runtime.current.world.output([...become, 'env', `XDG_RUNTIME_DIR=${directory}`, join(strakeDist, 'strake-runc'), 'list', '--quiet']);
    expect(statSync(join(directory, 'strake-runc')).mode & 0o7777).toBe(0o1700);
  });
});

describe('namespaces', () => {
  test('the network is the host’s, or an own one with a /sys of its own', async () => {
    await using shared = await runtime.current.running();
    expect(readlinkSync(runtime.current.world.procPath(shared.pid, 'ns/net'))).toBe(readlinkSync(runtime.current.world.procPath(1, 'ns/net')));
    await using own = await runtime.current.running((spec) => {
      spec.linux.namespaces.push({ type: 'network' });
      spec.mounts = spec.mounts.map((mount) =>
        mount.destination === '/sys' ? { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro', 'nosuid', 'noexec', 'nodev'] } : mount,
      );
      spec.linux['sysctl'] = { 'net.ipv4.ip_unprivileged_port_start': '99' };
    });
    expect(await own.output(['sh', '-c', 'ls /sys/class/net; cat /proc/sys/net/ipv4/ip_unprivileged_port_start'])).toBe('lo\n99');
  });

  test('a clock of its own', async () => {
    const offsets = await runtime.current.shell('cat /proc/self/timens_offsets', (spec) => {
      spec.linux.namespaces.push({ type: 'time' });
      spec.linux['timeOffsets'] = { boottime: { secs: 86_400 } };
    });
    expect(offsets).toMatch(/^boottime +86400 +0$/m);
  });

  test('the pids of the host: warned of, and a sysctl is written all the same', async () => {
    const { code, stdout, stderr } = await runtime.current.run((spec) => {
      spec.linux.namespaces = [...spec.linux.namespaces.filter(({ type }) => type !== 'pid'), { type: 'network' }];
      spec.mounts = spec.mounts.map((mount) =>
        mount.destination === '/proc' ? { destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] } : mount,
      );
      spec.linux['maskedPaths'] = [];
      spec.linux['readonlyPaths'] = [];
      spec.linux['sysctl'] = { 'net.ipv4.ip_unprivileged_port_start': '98' };
      spec.process.args = ['cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'];
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '98\n' });
    expect(stderr).toContain('no cgroup and no private pid namespace. Such configuration is strongly discouraged');
  });

  test('another container’s namespaces are joined, its clock too', async () => {
    await using owner = await runtime.current.running((spec) => {
      spec.linux.namespaces.push({ type: 'network' }, { type: 'time' });
      spec.linux['timeOffsets'] = { boottime: { secs: 1000 } };
    });
    await using guest = await runtime.current.running((spec) => {
      const files = { user: 'user', network: 'net', pid: 'pid', ipc: 'ipc', uts: 'uts', time: 'time' } as const;
      spec.linux.namespaces = [{ type: 'mount' }, ...Object.entries(files).map(([type, file]) => ({ type, path: `/proc/${owner.pid}/ns/${file}` }))];
      spec.linux['uidMappings'] = undefined;
      spec.linux['gidMappings'] = undefined;
      spec['hostname'] = '';
    });
    for (const name of ['user', 'net', 'pid', 'ipc', 'uts', 'time'])
      expect(readlinkSync(runtime.current.world.procPath(guest.pid, 'ns', name))).toBe(readlinkSync(runtime.current.world.procPath(owner.pid, 'ns', name)));
    expect((await guest.state()).status).toBe('running');
    expect(await guest.output(['id', '-u'])).toBe('0');
  });

  test('overlayfs with the marks of a user', async () => {
    const bundle = runtime.current.bundle();
    for (const name of ['lower', 'upper', 'work']) {
      mkdirSync(join(bundle.dir, name));
      chownSync(join(bundle.dir, name), uid, uid);
    }
    runtime.current.configure(bundle, (spec) => {
      const layers = ['lower', 'upper', 'work'].map((name) => `${name}dir=${join(bundle.dir, name)}`);
      spec.mounts.push({ destination: '/layers', type: 'overlay', source: 'overlay', options: [...layers, 'userxattr'] });
    });
    await using container = await runtime.current.running(bundle);
    await container.output(['touch', '/layers/made']);
    expect(statSync(join(bundle.dir, 'upper/made')).uid).toBe(uid);
  });

  test('root of a user namespace runs containers without one of their own', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'user');
      spec.linux['uidMappings'] = undefined;
      spec.linux['gidMappings'] = undefined;
      spec.process.args = ['sh', '-c', 'id -u; echo > /dev/null && test -c /dev/zero && echo devices'];
    });
    const argv = ['unshare', '--user', '--map-root-user', '--mount', join(strakeDist, 'strake-runc'), '--root', runtime.current.root];
    expect(await runtime.current.world.output([...become, ...argv, 'run', '--bundle', bundle.dir, 'nested'])).toBe('0\ndevices\n');
  });
});

describe('cgroups', () => {
  const delegated = '/delegated';
  /** Gives a cgroup to the user, as an administrator would. */
  async function delegate(): Promise<AsyncDisposable> {
    const script = `
      top=/sys/fs/cgroup
      [ -e $top/cgroup.controllers ] && all=$top || all=$(echo $top/*)
      for h in $all; do
        [ -e $h/cgroup.procs ] || continue
        mkdir $h${delegated}
        chown ${uid} $h${delegated} $h${delegated}/cgroup.procs $h/cgroup.procs
        [ ! -e $h${delegated}/tasks ] || chown ${uid} $h${delegated}/tasks
        [ ! -e $h${delegated}/cgroup.subtree_control ] || chown ${uid} $h${delegated}/cgroup.subtree_control
        for f in cpuset.cpus cpuset.mems; do [ ! -e $h/$f ] || [ ! -e $h${delegated}/tasks ] || cat $h/$f > $h${delegated}/$f; done
      done`;
    await runtime.current.world.output(['sh', '-ec', script]);
    const undo = `for h in /sys/fs/cgroup /sys/fs/cgroup/*; do [ ! -d $h${delegated} ] || { rmdir $h${delegated}; chown 0 $h/cgroup.procs; }; done`;
    return { [Symbol.asyncDispose]: async () => void (await runtime.current.world.output(['sh', '-ec', undo])) };
  }

  test('without a path and without limits the container stays where the runtime is', async () => {
    await using container = await runtime.current.running();
    expect(container.proc('cgroup')).toBe(runtime.current.world.proc(runtime.current.world.pids().find((pid) => pid === container.pid) ?? 0, 'cgroup'));
    expect(await container.output(['sh', '-c', 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/escape 2>/dev/null && echo $d; done; true'])).toBe('');
  });

  test('without a cgroup its processes are those of its pid namespace', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process.args = ['sh', '-c', 'trap "echo term" TERM; sleep 1000 & while :; do wait; done'];
    });
    const listed = async () => JSON.parse(await runtime.current.output(['ps', '--format', 'json', container.id])) as number[];
    await until('both processes', async () => (await listed()).length === 2);
    expect(await listed()).toContain(container.pid);
    await container.kill('TERM', ['--all']);
    await until('one of them to be left', async () => (await listed()).length === 1);
    await until('the trap of the other', () => container.log === 'term\n');
    expect(await runtime.current.runtime(['pause', container.id])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('cgroups not configured for container'),
    });
    const { stderr } = await runtime.current.runtime(['update', '--pids-limit', '10', container.id]);
    expect(stderr).toMatch(/cannot set pids limit: container could not join or create cgroup|pids\.max/);
  });

  test('root enters a container of a user whose groups cannot be changed', async () => {
    await using container = await runtime.current.running();
    expect(await runtime.current.world.output([join(strakeDist, 'strake-runc'), '--root', runtime.current.root, 'exec', container.id, 'id', '-u'])).toBe('0\n');
  });

  test('a limit or a path that cannot be had is an error, in the words of runc', async () => {
    const limited = await runtime.current.run((spec) => {
      spec.linux.resources = { pids: { limit: 100 } };
    });
    expect(limited.code).toBe(1);
    expect(limited.stderr).toContain(
      cgroupVersion === 'v1'
        ? 'cannot set pids limit: container could not join or create cgroup'
        : 'rootless needs no limits + no cgrouppath when no permission is granted for cgroups',
    );
    const placed = await runtime.current.run((spec) => {
      spec.linux['cgroupsPath'] = `${delegated}/c`;
    });
    expect(placed.code).toBe(1);
    expect(placed.stderr).toMatch(/unable to apply cgroup configuration: .*permission denied/);
  });

  test('where a cgroup is delegated, its limits hold, and it goes with the container', async () => {
    await using _cgroup = await delegate();
    await using container = await runtime.current.running((spec) => {
      spec.linux['cgroupsPath'] = `${delegated}/c`;
      spec.linux.resources = { pids: { limit: 100 } };
    });
    expect(readCgroup(container.cgroup, 'pids', 'pids.max', 'pids.max')).toBe('100');
    expect(await container.output(['cat', '/proc/self/cgroup'])).toContain(':/');
    await runtime.current.output(['update', '--pids-limit', '50', container.id]);
    expect(readCgroup(container.cgroup, 'pids', 'pids.max', 'pids.max')).toBe('50');
    await runtime.current.output(['pause', container.id]);
    expect((await container.state()).status).toBe('paused');
    await runtime.current.output(['resume', container.id]);
    expect(JSON.parse(await runtime.current.output(['ps', '--format', 'json', container.id]))).toEqual([container.pid]);
  });
});
