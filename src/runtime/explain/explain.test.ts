import { expect, test } from 'bun:test';
import type { Op } from '../../kernel/index.ts';
import { describeOp } from './describe.ts';
import { sectionsOf } from './sections.ts';

const operations: readonly Op[] = [
  { op: 'mkdir', side: 'host', path: '/sys/fs/cgroup/c', mode: 0o755 },
  { op: 'write_file', side: 'host', path: '/sys/fs/cgroup/c/memory.max', data: Buffer.from('1048576') },
  { op: 'clone', side: 'host', flags: 0x2002_0000, cgroup: 3 },
  { op: 'mount_fs', side: 'init', root: 2, target: '/proc', fstype: 'proc', source: 'proc', attrs: 0xe },
  { op: 'open', side: 'init', out: 4, path: '/x', mode: 0 },
  { op: 'pivot_root', side: 'init', root: 2 },
  { op: 'rlimit', side: 'init', resource: 7, soft: 1024, hard: 2n ** 64n - 1n },
  { op: 'capset', side: 'init', effective: 0, permitted: 0x21, inheritable: 0 },
  { op: 'seccomp', side: 'init', filter: new Uint8Array(80) },
  { op: 'exec', side: 'init', argv: ['sh', '-c', 'true'], env: [] },
  { op: 'reap', side: 'host' },
  { op: 'rmdir', side: 'host', path: '/sys/fs/cgroup/c', timeoutMs: 1 },
];

test('sections are pieces of one purpose, in the program’s order', () => {
  expect(sectionsOf(operations).map(({ title, operations: part }) => [title, part.map(({ index }) => index)])).toEqual([
    ['limits of the cgroup', [0, 1]],
    ['processes and namespaces', [2]],
    ['root filesystem and mounts', [3, 4, 5]],
    ['limits and labels of the process', [6]],
    ['user and privileges', [7, 8]],
    ['start', [9, 10]],
    ['cleanup', [11]],
  ]);
});

test('sentences', () => {
  expect(operations.map(describeOp)).toEqual([
    'make the directory /sys/fs/cgroup/c',
    'write "1048576" to /sys/fs/cgroup/c/memory.max',
    'start the first process of the container in new namespaces: mount, pid, inside its cgroup',
    'mount a proc on /proc, nosuid, nodev, noexec',
    'open /x, for a later step',
    'make the root filesystem the root, and let go of the host’s',
    'limit RLIMIT_NOFILE to 1024, at most no limit',
    'have the capabilities: CAP_CHOWN, CAP_KILL',
    'allow only the system calls of the filter (10 instructions)',
    'become the program: sh -c true',
    'wait until the first process has ended',
    'remove the directory /sys/fs/cgroup/c',
  ]);
});
