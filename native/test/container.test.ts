import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { container, leftovers, makeRoot, namespaceFlags, runProgram } from './harness.ts';

let root: ReturnType<typeof makeRoot>;
beforeAll(() => {
  root = makeRoot();
  writeFileSync(path.join(root.root, 'etc/from-layer'), 'layer\n');
});
afterAll(() => root.remove());
afterEach(() => expect(leftovers(root.dir)).toEqual([]));

const shell = (script: string) => ['sh', '-c', script];

test('every namespace is a new one', async () => {
  const names = ['mnt', 'uts', 'ipc', 'pid', 'net', 'cgroup'];
  const { stdout } = await runProgram(
    container(root.dir, {
      flags: Object.entries(namespaceFlags).reduce((all, [name, flag]) => (name === 'user' ? all : all | flag), 0),
      argv: shell(`for n in ${names.join(' ')}; do readlink /proc/self/ns/$n; done`),
    }),
  );
  const inside = stdout.trim().split('\n');
  expect(inside).toHaveLength(names.length);
  for (const [index, name] of names.entries()) expect(inside[index]).not.toBe(readlinkSync(`/proc/self/ns/${name}`));
});

test('pid 1 on an overlay, with what it writes in the upper directory', async () => {
  const { stdout, status } = await runProgram(container(root.dir, { argv: shell('echo $$; cat /etc/from-layer; echo new > /etc/made; ls /') }));
  expect(stdout).toBe('1\nlayer\nbin\ndev\netc\nproc\nsys\ntmp\n');
  expect(status).toBe(0);
  expect(readFileSync(path.join(root.dir, 'upper/etc/made'), 'utf8')).toBe('new\n');
});

test('created is reported, and the process waits for its start', async () => {
  let comm = '';
  const { reports, exit, stdout } = await runProgram(container(root.dir, { waitStart: true, argv: shell('echo started') }), {
    start: true,
    onReport: ({ initPid }) => (comm = readlinkSync(`/proc/${initPid}/exe`)),
  });
  expect(comm).toBe('/memfd:strake-init (deleted)');
  expect(reports.map(({ phase, failedIndex }) => [phase, failedIndex])).toEqual([
    ['created', undefined],
    ['started', undefined],
  ]);
  expect(exit?.code).toBe(0);
  expect(stdout).toBe('started\n');
});

test('a traced program has a duration for every operation of both sides', async () => {
  const ops = container(root.dir);
  const { reports } = await runProgram(ops, { trace: true });
  const durations = reports.at(-1)?.durationsNs ?? [];
  expect(durations).toHaveLength(ops.length);
  for (const [index, { op }] of ops.entries()) {
    if (op === 'reap') continue;
    expect([op, Number(durations[index]) > 0 && Number(durations[index]) < 5e9]).toEqual([op, true]);
  }
});

test('user, groups, capabilities, no_new_privs, umask and limits are exact', async () => {
  const { stdout, reports } = await runProgram(
    container(root.dir, {
      argv: shell('id -u; id -g; id -G; umask; grep -E "^(Cap|NoNewPrivs)" /proc/self/status; grep "open files" /proc/self/limits'),
      inside: [
        { op: 'umask', side: 'init', mask: 0o27 },
        { op: 'rlimit', side: 'init', resource: 7, soft: 100, hard: 200 },
        { op: 'bounding', side: 'init', keep: 0xf },
        { op: 'set_user', side: 'init', uid: 1000, gid: 1001, groups: new Uint8Array(new Uint32Array([1001, 44]).buffer) },
        { op: 'capset', side: 'init', effective: 0x3, permitted: 0x3, inheritable: 0 },
        { op: 'no_new_privs', side: 'init' },
      ],
    }),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout.replace(/[ \t]+/g, ' ')).toBe(
    `1000\n1001\n1001 44\n0027\n${['Inh', 'Prm', 'Eff'].map((set) => `Cap${set}: 0000000000000000\n`).join('')}CapBnd: 000000000000000f\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nMax open files 100 200 files \n`,
  );
});

test('ambient capabilities survive execve of another user', async () => {
  const { stdout } = await runProgram(
    container(root.dir, {
      argv: ['grep', '-E', '^Cap(Eff|Amb)', '/proc/self/status'],
      inside: [
        { op: 'set_user', side: 'init', uid: 1000, gid: 1000, groups: new Uint8Array() },
        { op: 'capset', side: 'init', effective: 0x3, permitted: 0x3, inheritable: 0x1 },
        { op: 'ambient', side: 'init', mask: 0x1 },
      ],
    }),
  );
  expect(stdout).toBe('CapEff:\t0000000000000001\nCapAmb:\t0000000000000001\n');
});

test('capabilities that the kernel refuses are an error that names them', async () => {
  const { reports } = await runProgram(
    container(root.dir, {
      inside: [
        { op: 'bounding', side: 'init', keep: 0x1 },
        { op: 'capset', side: 'init', effective: 0x2, permitted: 0x1, inheritable: 0 },
      ],
    }),
  );
  expect(reports[0]).toMatchObject({ errno: constants.errno.EPERM, detail: 'capabilities: effective 2, permitted 1, inheritable 0' });
});

test('the umask is 022 when none is asked for', async () => {
  expect((await runProgram(container(root.dir, { argv: shell('umask') }))).stdout).toBe('0022\n');
});

test('host name, sysctl and loopback are those of the container', async () => {
  const { stdout } = await runProgram(
    container(root.dir, {
      argv: shell('hostname; cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_unprivileged_port_start; cat /sys/class/net/lo/flags'),
      mounts: [{ op: 'mount_fs', side: 'init', root: 0, target: '/sys', fstype: 'sysfs', source: 'sysfs', attrs: 1 }],
      inside: [
        { op: 'sethostname', side: 'init', name: 'keel' },
        { op: 'sysctl', side: 'init', key: 'kernel/msgmax', value: '4242' },
        { op: 'sysctl', side: 'init', key: 'net/ipv4/ip_unprivileged_port_start', value: '0' },
        { op: 'lo_up', side: 'init' },
      ],
    }),
  );
  expect(stdout).toBe('keel\n4242\n0\n0x9\n');
});

test('only stdio is open in the container', async () => {
  const { stdout } = await runProgram(container(root.dir, { argv: shell('ls /proc/$$/fd; true') }));
  expect(stdout.trim().split('\n')).toEqual(['0', '1', '2']);
});

test('a seccomp filter is loaded and acts', async () => {
  // BPF: load nr; if it is mkdir (83) return ERRNO(1); else ALLOW (linux/filter.h, linux/seccomp.h)
  const instruction = (code: number, jt: number, jf: number, k: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(code, 0);
    bytes.set([jt, jf], 2);
    bytes.writeUInt32LE(k, 4);
    return bytes;
  };
  const filter = Buffer.concat([
    instruction(0x20, 0, 0, 0),
    instruction(0x15, 0, 1, 83),
    instruction(0x06, 0, 0, 0x0005_0001),
    instruction(0x06, 0, 0, 0x7fff_0000),
  ]);
  const { stdout, stderr } = await runProgram(
    container(root.dir, {
      argv: ['busybox', 'sh', '-c', 'busybox mkdir /tmp/x; grep Seccomp: /proc/self/status'],
      beforeExec: [{ op: 'seccomp', side: 'init', filter }],
    }),
  );
  expect(stdout).toBe('Seccomp:\t2\n');
  expect(stderr).toContain('Operation not permitted');
});

test('masked and read-only paths, also twice and when missing', async () => {
  const { stdout, stderr } = await runProgram(
    container(root.dir, {
      argv: shell('cat /proc/uptime; ls /proc/irq /proc/bus; echo x > /proc/sys/kernel/msgmax; stat -c %t:%T /proc/uptime /proc/version'),
      inside: [
        ...['/proc/uptime', '/proc/version', '/proc/irq', '/proc/bus', '/proc/none', '/proc/uptime/none'].map(
          (masked) => ({ op: 'mask_path', side: 'init', path: masked }) as const,
        ),
        { op: 'readonly_path', side: 'init', path: '/proc/sys' },
        { op: 'readonly_path', side: 'init', path: '/proc/none' },
      ],
    }),
  );
  expect(stdout).toBe('/proc/bus:\n\n/proc/irq:\n1:3\n1:3\n');
  expect(stderr).toContain("can't create /proc/sys/kernel/msgmax: Read-only file system");
});

test('binds: a directory, a file made as mount point, read-only, through links inside the root', async () => {
  writeFileSync(path.join(root.dir, 'file'), 'bound\n');
  const { stdout, stderr, reports } = await runProgram(
    container(root.dir, {
      argv: shell('cat /a/b/file /link/file; echo x > /a/b/file; stat -c %F /a/b'),
      mounts: [
        { op: 'symlink_in', side: 'init', root: 0, target: '../../../deep/er', path: '/link' },
        { op: 'mount_bind', side: 'init', root: 0, target: '/a/b/file', source: `${root.dir}/file`, create: 3, set: 1 },
        { op: 'mount_bind', side: 'init', root: 0, target: '/link/file', source: `${root.dir}/file`, create: 2 },
      ],
    }),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe('bound\nbound\ndirectory\n');
  expect(stderr).toContain('Read-only file system');
  expect(statSync(path.join(root.dir, 'upper/deep/er/file')).size).toBe(0);
});

test('a directory on a file is refused with both named', async () => {
  const { reports } = await runProgram(
    container(root.dir, { mounts: [{ op: 'mount_bind', side: 'init', root: 0, target: '/etc/from-layer', source: root.dir }] }),
  );
  expect(reports[0]).toMatchObject({
    errno: constants.errno.ENOTDIR,
    detail: `error mounting "${root.dir}" to rootfs at "/etc/from-layer": the source is a directory, the target is not a directory`,
  });
});

test('volume copy-up keeps owner, mode and links', async () => {
  const { reports, stdout } = await runProgram(
    container(root.dir, {
      argv: shell('stat -c "%n %a %u:%g" /vol /vol/f; readlink /vol/l'),
      mounts: [
        { op: 'mkdir_in', side: 'init', root: 0, path: '/vol', mode: 0o2750, uid: 5, gid: 6 },
        { op: 'symlink_in', side: 'init', root: 0, target: '/etc/shadow', path: '/vol/l' },
        { op: 'mknod_in', side: 'init', root: 0, path: '/vol/f', mode: 0o104711, major: 0, minor: 0, uid: 7, gid: 8 },
        { op: 'mkdir', side: 'init', path: `${root.dir}/volume`, mode: 0o755 },
        { op: 'copy_up', side: 'init', root: 0, target: '/vol', dest: `${root.dir}/volume` },
        { op: 'mount_bind', side: 'init', root: 0, target: '/vol', source: `${root.dir}/volume` },
      ],
    }),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe('/vol 2750 5:6\n/vol/f 4711 7:8\n/etc/shadow\n');
  expect(readdirSync(path.join(root.dir, 'volume')).sort()).toEqual(['f', 'l']);
});

test('a pty is the controlling terminal, and /dev/console is bound to it', async () => {
  const { reports } = await runProgram(
    container(root.dir, {
      argv: shell('test -t 0 && test -t 1 && test -c /dev/console && test $(tty) = /dev/pts/0 && exit 5'),
      inside: [
        { op: 'setsid', side: 'init' },
        { op: 'terminal', side: 'init', rows: 24, cols: 80, console: 1 },
      ],
    }),
  );
  expect(reports[0]?.detail).toBe('');
});

test('with the reaper pid 1 stays, reaps orphans and hands on the status', async () => {
  const { stdout, status } = await runProgram(
    container(root.dir, {
      argv: shell('echo $$; cat /proc/1/comm; (sleep 0.05 &); grep CapEff /proc/1/status; exit 9'),
      inside: [{ op: 'reaper', side: 'init' }],
    }),
  );
  expect(stdout).toBe('2\ndocker-init\nCapEff:\t0000000000000020\n');
  expect(status).toBe(9);
});

test('a container in a user namespace: mapped root, host device nodes, no setgroups needed', async () => {
  const { mount, uts, ipc, pid, net, user } = namespaceFlags;
  const { stdout, reports } = await runProgram(
    container(root.dir, {
      flags: mount | uts | ipc | pid | net | user,
      argv: shell('id -u; cat /proc/self/uid_map; echo y > /etc/by-mapped; stat -c %u /etc/by-mapped'),
      hostBeforeInit: [
        { op: 'id_map', side: 'host', kind: 0, text: '0 0 65536\n' },
        { op: 'id_map', side: 'host', kind: 1, text: '0 0 65536\n' },
      ],
    }).map((op) => (op.op === 'mknod_in' ? { ...op, flags: 1 } : op)),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout.replace(/ +/g, ' ')).toBe('0\n 0 0 65536\n0\n');
});
