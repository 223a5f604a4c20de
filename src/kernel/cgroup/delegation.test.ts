import { describe, expect, test } from 'bun:test';
import { type DelegationOptions, delegatedCgroups } from './delegation.ts';
import type { CgroupLayout } from './layout.ts';

const v1: CgroupLayout = {
  kind: 'hybrid',
  v1: [
    { name: 'cpu', mountpoint: '/cg/cpu', root: '/', controllers: ['cpu'] },
    { name: 'pids', mountpoint: '/cg/pids', root: '/', controllers: ['pids'] },
    { name: 'systemd', mountpoint: '/cg/systemd', root: '/', controllers: [] },
  ],
  v2: { mountpoint: '/cg/unified', root: '/', controllers: [] },
};
const v2: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: ['memory', 'pids'] } };
const ownV1 = '3:name=systemd:/user.slice\n2:pids:/u\n1:cpu:/\n0::/user.slice\n';
const ownV2 = '0::/user.slice/session\n';
/** what exists: true where the user may write */
const tree = (entries: Readonly<Record<string, boolean>>) => (path: string) => entries[path];
const options = (more: Partial<DelegationOptions>): DelegationOptions => ({
  layout: v1,
  cgroupsPath: undefined,
  id: 'c',
  resources: undefined,
  ownCgroups: ownV1,
  canWrite: tree({ '/cg/cpu': false, '/cg/pids/u': false, '/cg/systemd/user.slice': false, '/cg/unified': false }),
  ...more,
});

test('nothing is delegated and nothing asked for: the container stays in the cgroups of its runtime', () => {
  expect(delegatedCgroups(options({}))).toEqual({
    layout: { kind: 'v1', v1: [], v2: undefined },
    path: 'c',
    inherited: {
      v1: [
        { name: 'cpu', dir: '/cg/cpu' },
        { name: 'pids', dir: '/cg/pids/u' },
        { name: 'systemd', dir: '/cg/systemd/user.slice' },
      ],
      v2: '/cg/unified/user.slice',
    },
  });
});

test('v1: the hierarchies that can be written, from the own cgroup on; the others stay', () => {
  const canWrite = tree({ '/cg/cpu': false, '/cg/pids/u': true, '/cg/systemd/user.slice': false, '/cg/unified': false });
  expect(delegatedCgroups(options({ canWrite, resources: { pids: { limit: 5 } } }))).toEqual({
    layout: { kind: 'v1', v1: [{ name: 'pids', mountpoint: '/cg/pids/u', root: '/', controllers: ['pids'] }], v2: undefined },
    path: 'c',
    inherited: {
      v1: [
        { name: 'cpu', dir: '/cg/cpu' },
        { name: 'systemd', dir: '/cg/systemd/user.slice' },
      ],
      v2: '/cg/unified/user.slice',
    },
  });
});

test('v1: a path from the root whose directory was given to the user', () => {
  const canWrite = tree({ '/cg/cpu/d': true, '/cg/pids/d': true, '/cg/systemd/d': true, '/cg/unified': false });
  const { layout, path, inherited } = delegatedCgroups(options({ cgroupsPath: '/d/c', canWrite }));
  expect({ ...layout, path }).toEqual({ kind: 'v1', v1: v1.v1, v2: undefined, path: '/d/c' });
  expect(inherited.v1).toEqual([]);
});

test('v2: beside the own cgroup, when the common ancestor lets processes be moved', () => {
  const canWrite = tree({ '/cg/user.slice': true, '/cg/user.slice/cgroup.procs': true, '/cg/cgroup.procs': false });
  expect(delegatedCgroups(options({ layout: v2, ownCgroups: ownV2, canWrite }))).toEqual({
    layout: { kind: 'v2', v1: [], v2: { mountpoint: '/cg/user.slice', root: '/', controllers: ['memory', 'pids'] } },
    path: 'c',
    inherited: { v1: [], v2: undefined },
  });
});

test('v2: a delegated directory that nobody may move processes to is of no use', () => {
  const canWrite = tree({ '/cg/d': true, '/cg/cgroup.procs': false });
  expect(() => delegatedCgroups(options({ layout: v2, ownCgroups: ownV2, canWrite, cgroupsPath: '/d/c' }))).toThrow('permission denied');
});

test('a hierarchy whose own cgroup the mount does not show is left out', () => {
  const { inherited } = delegatedCgroups(options({ ownCgroups: '2:pids:/../other\n1:cpu:/\n0::/..\n' }));
  expect(inherited).toEqual({ v1: [{ name: 'cpu', dir: '/cg/cpu' }], v2: undefined });
});

describe('what is asked for and cannot be had is an error in the words of runc', () => {
  const cases: readonly (readonly [string, Partial<DelegationOptions>, string])[] = [
    ['a path', { cgroupsPath: '/d/c' }, 'unable to apply cgroup configuration: mkdir /cg/cpu/d/c: permission denied'],
    ['a v1 limit', { resources: { pids: { limit: 5 } } }, 'cannot set pids limit: container could not join or create cgroup'],
    ['CPU time', { resources: { cpu: { quota: 5000 } } }, 'cannot set cpu limit: container could not join or create cgroup'],
    [
      'a v2 limit',
      { layout: v2, ownCgroups: ownV2, resources: { memory: { limit: 1 << 20 } } },
      'rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir /cg/user.slice/c: permission denied',
    ],
  ];
  for (const [name, more, message] of cases) test(name, () => expect(() => delegatedCgroups(options(more))).toThrow(message));
});

test('device rules and empty groups are no limits', () => {
  const resources = { devices: [{ allow: false, access: 'rwm' }], memory: {}, cpu: {} };
  expect(delegatedCgroups(options({ resources })).layout.v1).toEqual([]);
});
