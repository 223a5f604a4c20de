import { expect, test } from 'bun:test';
import { formatOp } from '../../kernel/index.ts';
import { defaultSpec } from '../default-spec.ts';
import { compileRestore, type RestoreProgram } from './compile-restore.ts';

const program: RestoreProgram = {
  spec: {
    ...defaultSpec(),
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts' },
      { destination: '/data', type: 'bind', source: '/srv/data', options: ['rbind'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
    ],
  },
  rootfs: '/bundle/rootfs',
  criuRoot: '/state/c/criu-root',
  criu: '/usr/sbin/criu',
  request: { imagesDirFd: 200, logFile: 'restore.log', manageCgroupsMode: 0, flags: { rstSibling: true } },
  files: ['/bundle/checkpoint'],
  firstFile: 200,
  cgroup: { v1: [], v2: '/sys/fs/cgroup/c', create: [], cleanup: [{ op: 'rmdir', side: 'host', path: '/sys/fs/cgroup/c', timeoutMs: 5000 }] },
  detach: true,
  stateDirectory: '/state/c',
};

test('mount points are made in a mount namespace of our own, those on a tmpfs and of cgroups by criu', () => {
  const lines = compileRestore({ ...program, consoleSocket: '/run/console.sock' }).map(formatOp);
  expect(lines.slice(0, 8)).toEqual([
    'host unshare flags=0x20000',
    'host propagation path=/ flags=0x44000',
    'host mkdir path=/state/c/criu-root mode=0755',
    'host mount_bind target=/state/c/criu-root source=/bundle/rootfs recursive=1',
    'host open out=#0 path=/bundle/rootfs flags=0x290000',
    'host mkdir_in root=#0 path=/proc mode=0755 uid=0 gid=0',
    'host mkdir_in root=#0 path=/dev mode=0755 uid=0 gid=0',
    'host mount_bind root=#0 target=/data source=/srv/data recursive=1 create=3',
  ]);
  expect(lines[8]).toBe('host connect_unix out=#1 path=/run/console.sock');
  expect(lines[9]).toMatch(
    /^host criu path=\/usr\/sbin\/criu .*cgroups=\[\/sys\/fs\/cgroup\/c\/cgroup.procs\] files=\[\/bundle\/checkpoint\] firstFile=200 console=#1$/,
  );
  expect(lines.slice(10)).toEqual(['host detach']);
});

test('in the foreground the exit is waited for, and all is taken away', () => {
  expect(
    compileRestore({ ...program, detach: false })
      .map(formatOp)
      .slice(-3),
  ).toEqual(['host reap flags=0x1', 'host rmdir path=/sys/fs/cgroup/c timeoutMs=5000', 'host remove_dir path=/state/c']);
});

test('under a monitor: that first, the root filesystem in the mount namespace of our own, and signals are for the monitor', () => {
  const monitor = { op: 'monitor', side: 'host', dir: '/tasks/c', logPath: '', logDriver: 0, logMaxSize: 0, logMaxFiles: 1, oomFile: '' } as const;
  const mountRoot = [{ op: 'mount_bind', side: 'host', source: '/snapshot', target: '/mounted' } as const];
  const { stateDirectory: _kept, ...kept } = program;
  const lines = compileRestore({ ...kept, detach: false, monitor: [monitor], mountRoot, rootfs: '/mounted' }).map(formatOp);
  expect(lines[0]).toStartWith('host monitor dir=/tasks/c');
  expect(lines.slice(1, 6)).toEqual([
    'host unshare flags=0x20000',
    'host propagation path=/ flags=0x44000',
    'host mount_bind target=/mounted source=/snapshot',
    'host mkdir path=/state/c/criu-root mode=0755',
    'host mount_bind target=/state/c/criu-root source=/mounted recursive=1',
  ]);
  expect(lines.slice(-2)).toEqual(['host reap', 'host rmdir path=/sys/fs/cgroup/c timeoutMs=5000']);
});
