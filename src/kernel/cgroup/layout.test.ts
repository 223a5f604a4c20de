import { expect, test } from 'bun:test';
import { cgroupDirectories, cgroupLevels, oomFile } from './directories.ts';
import { detectCgroupLayout } from './layout.ts';
import { parseOwnCgroups } from './own.ts';

const cgroups = `#subsys_name\thierarchy\tnum_cgroups\tenabled
cpuset\t3\t1\t1
cpu\t1\t1\t1
cpuacct\t1\t1\t1
memory\t4\t20\t1
`;

const hybrid = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
90 31 0:32 /somewhere /mnt/second\\040mount rw,relatime - cgroup cgroup rw,memory
`;

test('hybrid: every v1 hierarchy once, the v2 tree beside them', () => {
  const layout = detectCgroupLayout({ mountinfo: hybrid, cgroups, v2Controllers: () => '\n' });
  expect(layout).toEqual({
    kind: 'hybrid',
    v1: [
      { name: 'cpu,cpuacct', mountpoint: '/sys/fs/cgroup/cpu,cpuacct', root: '/', controllers: ['cpu', 'cpuacct'], key: 'cpu' },
      { name: 'cpuset', mountpoint: '/sys/fs/cgroup/cpuset', root: '/', controllers: ['cpuset'], key: 'cpuset' },
      { name: 'memory', mountpoint: '/sys/fs/cgroup/memory', root: '/', controllers: ['memory'], key: 'memory' },
      { name: 'systemd', mountpoint: '/sys/fs/cgroup/systemd', root: '/', controllers: [], key: 'name=systemd' },
    ],
    v2: { mountpoint: '/sys/fs/cgroup/unified', root: '/', controllers: [] },
  });
  const directories = cgroupDirectories(layout, '/strake/abc');
  expect(directories.v1.map(({ dir }) => dir)).toEqual([
    '/sys/fs/cgroup/cpu,cpuacct/strake/abc',
    '/sys/fs/cgroup/cpuset/strake/abc',
    '/sys/fs/cgroup/memory/strake/abc',
    '/sys/fs/cgroup/systemd/strake/abc',
  ]);
  expect(directories.v2).toBe('/sys/fs/cgroup/unified/strake/abc');
  expect(oomFile(directories)).toBe('/sys/fs/cgroup/memory/strake/abc/memory.oom_control');
});

test('pure v2 and pure v1', () => {
  const v2 = detectCgroupLayout({ mountinfo: '30 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n', cgroups, v2Controllers: () => 'cpu memory pids\n' });
  expect(v2).toEqual({ kind: 'v2', v1: [], v2: { mountpoint: '/sys/fs/cgroup', root: '/', controllers: ['cpu', 'memory', 'pids'] } });
  expect(oomFile(cgroupDirectories(v2, 'a'))).toBe('/sys/fs/cgroup/a/memory.events');
  const v1 = detectCgroupLayout({ mountinfo: '34 31 0:31 / /cg/memory rw - cgroup none rw,memory\n', cgroups });
  expect(v1).toEqual({ kind: 'v1', v1: [{ name: 'memory', mountpoint: '/cg/memory', root: '/', controllers: ['memory'], key: 'memory' }], v2: undefined });
  expect(detectCgroupLayout({ mountinfo: '', cgroups }).kind).toBe('none');
});

test.each(['', '/', '/..', 'a/../b', './a', 'a/\n', 'a\0b', `/${'x'.repeat(256)}`])('refuses the cgroup path %p', (path) => {
  const layout = detectCgroupLayout({ mountinfo: hybrid, cgroups });
  expect(() => cgroupDirectories(layout, path)).toThrow(`invalid cgroup path ${JSON.stringify(path)}`);
});

test('a relative path is below the own cgroup: v1’s own, v2’s parent, or the mount’s part of it', () => {
  const own = parseOwnCgroups('5:memory:/a/b\n4:name=systemd:/s\n3:cpuset:/\n2:cpu,cpuacct:/c\n0::/ignored\n');
  const { v1, v2 } = cgroupDirectories(detectCgroupLayout({ mountinfo: hybrid, cgroups }), 'x/y', own);
  expect(v1.map(({ dir }) => dir)).toEqual([
    '/sys/fs/cgroup/cpu,cpuacct/c/x/y',
    '/sys/fs/cgroup/cpuset/x/y',
    '/sys/fs/cgroup/memory/a/b/x/y',
    '/sys/fs/cgroup/systemd/s/x/y',
  ]);
  expect(v2).toBe('/sys/fs/cgroup/unified/x/y');
  const pure = (root: string, cgroup: string) =>
    cgroupDirectories(
      detectCgroupLayout({ mountinfo: `30 23 0:27 ${root} /sys/fs/cgroup rw - cgroup2 cgroup rw\n`, cgroups }),
      'x',
      parseOwnCgroups(`0::${cgroup}\n`),
    ).v2;
  expect(pure('/', '/user.slice/session-1.scope')).toBe('/sys/fs/cgroup/user.slice/x');
  expect(pure('/', '/')).toBe('/sys/fs/cgroup/x');
  expect(pure('/docker/1', '/docker/1/inner/leaf')).toBe('/sys/fs/cgroup/inner/x');
  expect(pure('/docker/1', '/docker/2')).toBe('/sys/fs/cgroup/x');
  expect(pure('/', '/../outside/leaf')).toBe('/sys/fs/cgroup/x');
});

test('the levels of a directory, outermost first', () => {
  expect(cgroupLevels('/cg', '/cg/a/b')).toEqual(['/cg/a', '/cg/a/b']);
  expect(cgroupLevels('/cg', '/cg')).toEqual([]);
});
