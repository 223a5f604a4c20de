import { describe, expect, test } from 'bun:test';
import { formatOp } from '../../kernel/index.ts';
import type { Mount } from '../../oci/index.ts';
import { compileAddMounts, compileRemoveMounts } from './live-mounts.ts';

const plain = { pid: 7, startTime: 11, linux: { namespaces: [{ type: 'mount' as const }] } };
const mapped = {
  ...plain,
  linux: { namespaces: [{ type: 'mount' as const }, { type: 'user' as const }], uidMappings: [{ containerID: 0, hostID: 1000, size: 9 }] },
};
const add = (mounts: readonly Mount[], container: Parameters<typeof compileAddMounts>[1] = plain) =>
  compileAddMounts(mounts, container, '/cwd', () => undefined).map(formatOp);
const entry = ['host pidfd_open out=#0 pid=7 startTime=11', 'host open out=#1 path=/proc/7/root flags=0x290000'];
const join = 'host join fd=#0 flags=0x20000';

describe('mounts add', () => {
  test('a bind is opened on the host, and private there unless asked', () => {
    expect(add([{ destination: '/foo/bar', type: 'bind', source: 'dir', options: ['bind', 'ro'] }])).toEqual([
      ...entry,
      'host bind_source out=#2 source=/cwd/dir set=0x1 clear=0x20000e propagation=0x44000',
      join,
      'host attach fd=#2 root=#1 target=/foo/bar create=3',
    ]);
  });
  test('all sources before the namespace is entered, then all targets in their order', () => {
    const mounts = [
      { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['mode=700', 'ro'] },
      { destination: '/t/a', source: '/a', options: ['rbind', 'rshared', 'dest-nofollow'] },
    ];
    expect(add(mounts)).toEqual([
      ...entry,
      'host bind_source out=#2 source=/a recursive=1 flags=0x8',
      join,
      'host mount_fs root=#1 target=/t fstype=tmpfs source=tmpfs options=[mode=700] propagation=0x44000 create=1',
      'host attach fd=#2 root=#1 target=/t/a create=3 flags=0x8',
      'host mount_setattr root=#1 target=/t/a propagation=0x100000 recursive=1',
      'host mount_setattr root=#1 target=/t set=0x1',
    ]);
  });
  test("ids are mapped as in the container's user namespace, or as the mount says", () => {
    const own = [{ containerID: 0, hostID: 5, size: 1 }];
    const mounts = [
      { destination: '/a', source: '/s', options: ['bind', 'idmap'] },
      { destination: '/b', source: '/s', options: ['bind', 'ridmap'], uidMappings: own, gidMappings: own },
    ];
    expect(add(mounts, mapped)).toEqual([
      ...entry,
      'host open out=#2 path=/proc/7/ns/user flags=0x80000',
      'host userns out=#3 uids="0 5 1\\n" gids="0 5 1\\n"',
      'host bind_source out=#4 source=/s propagation=0x44000 userns=#2',
      'host bind_source out=#5 source=/s propagation=0x44000 flags=0x10 userns=#3',
      join,
      'host attach fd=#4 root=#1 target=/a create=3',
      'host attach fd=#5 root=#1 target=/b create=3 flags=0x10',
    ]);
  });
  const refused: readonly (readonly [Mount, string])[] = [
    [{ destination: '/c', type: 'cgroup' }, 'mounts[0] cannot be honoured: cgroups are mounted when a container is made, not later'],
    [{ destination: '/c', source: '/s', options: ['bind', 'copy-symlink'] }, 'mounts[0]: copy-symlink is for mounts of a new container'],
    [{ destination: '/', source: '/s', options: ['bind'] }, 'mounts[0]: a mount on / would hide the root filesystem'],
    [{ destination: '/proc/sys', source: '/s', options: ['bind'] }, 'mounts[0]: "/proc/sys" cannot be mounted because it is inside /proc'],
  ];
  for (const [mount, message] of refused) test(`refuses ${message}`, () => expect(() => add([mount])).toThrow(message));
});

test('mounts remove: the last one first', () => {
  const mounts = [{ destination: '/a' }, { destination: '/a/b' }];
  expect(compileRemoveMounts(mounts, plain).map(formatOp)).toEqual([...entry, join, 'host umount_in root=#1 target=/a/b', 'host umount_in root=#1 target=/a']);
});
