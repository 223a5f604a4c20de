import { describe, expect, test } from 'bun:test';
import { formatOp, type Op } from '../../kernel/index.ts';
import type { Mount } from '../../oci/index.ts';
import { type MountContext, mountPlan } from './mounts.ts';
import { planNamespaces } from './namespaces.ts';

const v1 = [
  { name: 'cpu,cpuacct', dir: '/sys/fs/cgroup/cpu,cpuacct/c' },
  { name: 'memory', dir: '/sys/fs/cgroup/memory/c' },
];
const noCgroup = { v1: [], v1Links: [], v2: undefined, create: [], initAttach: [], cleanup: [], oomFile: '' };
const context: MountContext = {
  root: 0,
  rootPath: '/b/rootfs',
  reopenRoot: { op: 'open', side: 'init', out: 0, path: '/b/rootfs', mode: 0 },
  bundle: '/b',
  cgroup: noCgroup,
  namespaces: planNamespaces({ namespaces: [{ type: 'mount' }] }),
  helper: undefined,
  idMapSlot: () => undefined,
  label: undefined,
  keepsSharedMounts: false,
  warn: () => undefined,
};
const lines = (ops: readonly Op[]) => ops.map((op) => formatOp(op).replace('init ', '').replace('root=#0 ', ''));
const now = (mount: Mount, more: Partial<MountContext> = {}) => lines(mountPlan([mount], { ...context, ...more }).now);
const late = (mount: Mount) => lines(mountPlan([mount], context).late);
const bind = (options: string, more: Partial<Mount> = {}): Mount => ({ destination: '/t', source: '/s', type: 'bind', options: options.split(','), ...more });
const fs = (type: string, options: string, more: Partial<Mount> = {}): Mount => ({
  destination: '/t',
  source: type,
  type,
  options: options === '' ? [] : options.split(','),
  ...more,
});

describe('binds', () => {
  const cases: readonly (readonly [string, Mount, readonly string[], Partial<MountContext>?])[] = [
    ['no flag: the source keeps its own', bind('rbind'), ['mount_bind target=/t source=/s recursive=1 create=3']],
    ['a flag: all others go, where they are not locked', bind('bind,ro'), ['mount_bind target=/t source=/s set=0x1 create=3 clearUnlocked=0x20000e']],
    ['a flag that is to be off has to be', bind('bind,rw'), ['mount_bind target=/t source=/s clear=0x1 create=3 clearUnlocked=0x20000e']],
    ['the whole tree', bind('rbind,rro,rnosuid'), ['mount_bind target=/t source=/s recursive=1 recSet=0x3 create=3']],
    ['one propagation is set before it is seen', bind('rbind,rprivate'), ['mount_bind target=/t source=/s recursive=1 propagation=0x44000 create=3']],
    [
      'two of them in turn',
      bind('rbind,private,rslave'),
      [
        'mount_bind target=/t source=/s recursive=1 create=3',
        'mount_setattr target=/t propagation=0x40000',
        'mount_setattr target=/t propagation=0x80000 recursive=1',
      ],
    ],
    [
      'on what may be shared it is set in place',
      bind('bind,private'),
      ['mount_bind target=/t source=/s create=3', 'mount_setattr target=/t propagation=0x40000'],
      { keepsSharedMounts: true },
    ],
    ['links', bind('bind,src-nofollow,dest-nofollow'), ['mount_bind target=/t source=/s create=3 flags=0xa']],
    ['a link that is copied', bind('bind,copy-symlink'), ['mount_bind target=/t source=/s create=3 flags=0x4']],
    ['mapped ids', bind('bind,ridmap'), ['mount_bind target=/t source=/s create=3 flags=0x10 userns=#3 helper=#4'], { idMapSlot: () => 3, helper: 4 }],
    ['a relative source', bind('bind', { source: 'x/../y' }), ['mount_bind target=/t source=/b/y create=3']],
    ['a destination of the host', bind('bind', { destination: '/b/rootfs/in/it' }), ['mount_bind target=/in/it source=/s create=3']],
    ['a destination beside the root', bind('bind', { destination: '/b/rootfs2/x' }), ['mount_bind target=/b/rootfs2/x source=/s create=3']],
    ['over the root', bind('bind', { destination: '/' }), ['mount_bind target=/ source=/s create=3', 'open out=#0 path=/b/rootfs']],
    ['over procfs', bind('bind', { destination: '/proc' }), ['mount_bind target=/proc source=/s create=3 flags=0x20']],
    ['a file of procfs', bind('bind', { destination: '/proc/meminfo' }), ['mount_bind target=/proc/meminfo source=/s create=3']],
  ];
  for (const [name, mount, expected, more] of cases) test(name, () => expect(now(mount, more)).toEqual([...expected]));

  test('a relative destination and a flag of the filesystem are warned of', () => {
    const warnings: string[] = [];
    const op = now(bind('bind,sync,iversion,size=1', { destination: 't' }), { warn: (message) => warnings.push(message) });
    expect(op).toEqual(['mount_bind target=/t source=/s create=3 clearUnlocked=0x20000f']);
    expect(warnings).toEqual([
      'mounts[0]: mount destination t is not absolute. Support for non-absolute mount destinations will be removed in a future release.',
      'mounts[0]: a bind mount shares the filesystem of its source: ignored for /t: size=1,sync,iversion',
    ]);
  });
});

describe('new filesystems', () => {
  const cases: readonly (readonly [string, Mount, readonly string[], (readonly string[])?, Partial<MountContext>?])[] = [
    ['a tmpfs has the mode of the directory', fs('tmpfs', 'nosuid'), ['mount_fs target=/t fstype=tmpfs source=tmpfs attrs=0x2 create=1 flags=0x2']],
    ['or its own', fs('tmpfs', 'mode=755'), ['mount_fs target=/t fstype=tmpfs source=tmpfs options=[mode=755] create=1']],
    ['and what is there', fs('tmpfs', 'tmpcopyup'), ['mount_fs target=/t fstype=tmpfs source=tmpfs create=1 flags=0x6']],
    [
      'it becomes read-only last',
      fs('tmpfs', 'ro,nodev,mode=1'),
      ['mount_fs target=/t fstype=tmpfs source=tmpfs options=[mode=1] attrs=0x4 create=1'],
      ['mount_setattr target=/t set=0x1'],
    ],
    [
      'with all below it too',
      fs('tmpfs', 'rro,mode=1'),
      ['mount_fs target=/t fstype=tmpfs source=tmpfs options=[mode=1] create=1'],
      ['mount_setattr target=/t set=0x1 recursive=1'],
    ],
    [
      'so does /dev',
      fs('devtmpfs', 'ro', { destination: '/dev/' }),
      ['mount_fs target=/dev fstype=devtmpfs source=devtmpfs create=1'],
      ['mount_setattr target=/dev set=0x1'],
    ],
    ['others at once', fs('mqueue', 'ro'), ['mount_fs target=/t fstype=mqueue source=mqueue attrs=0x1 create=1']],
    [
      'a device is opened for reading alone',
      fs('ext4', 'ro', { source: '/dev/vda' }),
      ['mount_fs target=/t fstype=ext4 source=/dev/vda options=[ro] attrs=0x1 create=1'],
    ],
    ["sysfs may be the host's", fs('sysfs', 'ro'), ['mount_fs target=/t fstype=sysfs source=sysfs attrs=0x1 create=1 flags=0x1']],
    [
      'flags of the superblock are words',
      fs('ramfs', 'sync,dirsync,mand,lazytime,mode=1'),
      ['mount_fs target=/t fstype=ramfs source=ramfs options=[sync dirsync mand lazytime mode=1] create=1'],
    ],
    [
      'or bits, where one has no word',
      fs('ramfs', 'sync,iversion,silent,mode=1'),
      ['mount_fs target=/t fstype=ramfs source=ramfs options=[mode=1] create=1 sbFlags=0x808010'],
    ],
    ['a label', fs('tmpfs', 'mode=1'), ['mount_fs target=/t fstype=tmpfs source=tmpfs options=[mode=1 context=l:c0,c1] create=1'], [], { label: 'l:c0,c1' }],
    ['a label of the directory', fs('mqueue', ''), ['mount_fs target=/t fstype=mqueue source=mqueue create=1 label=l'], [], { label: 'l' }],
    ['none', fs('proc', ''), ['mount_fs target=/t fstype=proc source=proc create=1'], [], { label: 'l' }],
  ];
  for (const [name, mount, expected, after, more] of cases)
    test(name, () => {
      expect(now(mount, more)).toEqual([...expected]);
      if (more === undefined) expect(late(mount)).toEqual([...(after ?? [])]);
    });
});

describe('remounts', () => {
  const cases: readonly (readonly [string, Mount, readonly string[]])[] = [
    ['a bind', bind('remount,bind,ro'), ['mount_setattr target=/t set=0x1 clearUnlocked=0x20000e']],
    ['a bind without flags', bind('remount,bind'), ['mount_setattr target=/t clearUnlocked=0x20000f']],
    [
      'a filesystem',
      fs('tmpfs', 'remount,ro,size=1m,sync'),
      ['remount_fs target=/t options=[ro sync size=1m]', 'mount_setattr target=/t set=0x1 clearUnlocked=0x20000e'],
    ],
    [
      'a tree',
      fs('tmpfs', 'remount,rnoexec'),
      ['remount_fs target=/t options=[rw]', 'mount_setattr target=/t clearUnlocked=0x20000f', 'mount_setattr target=/t set=0x8 recursive=1'],
    ],
  ];
  for (const [name, mount, expected] of cases) test(name, () => expect(now(mount)).toEqual([...expected]));
});

describe('cgroups', () => {
  const mount = fs('cgroup', 'nosuid,ro,private');
  const unified = { ...noCgroup, v2: '/sys/fs/cgroup/c' };
  const ownNamespace = planNamespaces({ namespaces: [{ type: 'mount' }, { type: 'cgroup' }] });
  test('v1: a directory for each hierarchy', () => {
    expect(now(mount, { cgroup: { ...noCgroup, v1, v1Links: [['cpu', 'cpu,cpuacct']] } })).toEqual([
      'mount_cgroup_v1 target=/t dirs=[/sys/fs/cgroup/cpu,cpuacct/c cpu,cpuacct /sys/fs/cgroup/memory/c memory] links=[cpu cpu,cpuacct] attrs=0x3',
      'mount_setattr target=/t propagation=0x40000',
    ]);
  });
  test('v2 in a namespace of its own: a new mount shows it alone', () => {
    expect(now(mount, { cgroup: unified, namespaces: ownNamespace })).toEqual([
      'mount_fs target=/t fstype=cgroup2 source=cgroup attrs=0x3 propagation=0x40000 create=1',
    ]);
  });
  test('v2 without one: the tree of the host, read-only as asked (CVE-2023-25809)', () => {
    expect(now(mount, { cgroup: unified })).toEqual(['mount_bind target=/t source=/sys/fs/cgroup set=0x3 propagation=0x40000 create=1 clearUnlocked=0x20000c']);
  });
  test('cgroup2 on a hybrid machine: the part of the container', () => {
    expect(now(fs('cgroup2', 'ro'), { cgroup: { ...noCgroup, v1, v2: '/sys/fs/cgroup/unified/c' } })).toEqual([
      'mount_bind target=/t source=/sys/fs/cgroup/unified/c set=0x1 create=1 clearUnlocked=0x20000e',
    ]);
  });
});
