import { describe, expect, test } from 'bun:test';
import type { ResourcesSpec } from '../../oci/index.ts';
import { delegatedCgroups, type WriteAccess } from './delegation.ts';
import { cgroupDirectories } from './directories.ts';
import type { CgroupLayout } from './layout.ts';
import { parseOwnCgroups } from './own.ts';

const v1: CgroupLayout = {
  kind: 'hybrid',
  v1: [
    { name: 'cpu', mountpoint: '/cg/cpu', root: '/', controllers: ['cpu'], key: 'cpu' },
    { name: 'pids', mountpoint: '/cg/pids', root: '/', controllers: ['pids'], key: 'pids' },
    { name: 'systemd', mountpoint: '/cg/systemd', root: '/', controllers: [], key: 'name=systemd' },
  ],
  v2: { mountpoint: '/cg/unified', root: '/', controllers: [] },
};
const v2: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: ['memory', 'pids'] } };
const ownV1 = '3:name=systemd:/user.slice\n2:pids:/u\n1:cpu:/\n0::/user.slice\n';
const ownV2 = '0::/user.slice/session\n';
/** what exists: true where the user may write */
const tree = (entries: Readonly<Record<string, boolean>>) => (path: string) => entries[path];
interface Case {
  readonly layout?: CgroupLayout;
  readonly cgroupsPath?: string;
  readonly ownCgroups?: string;
  readonly resources?: ResourcesSpec;
  readonly canWrite?: WriteAccess;
}
const delegated = (more: Case) => {
  const { layout = v1, cgroupsPath, resources } = more;
  const own = parseOwnCgroups(more.ownCgroups ?? (layout === v2 ? ownV2 : ownV1));
  return delegatedCgroups({
    layout,
    directories: cgroupDirectories(layout, cgroupsPath ?? 'c', own),
    isNamed: cgroupsPath !== undefined,
    resources,
    own,
    canWrite: more.canWrite ?? tree({ '/cg/cpu': false, '/cg/pids/u': false, '/cg/systemd/user.slice': false, '/cg/unified': false }),
  });
};

test('nothing is delegated and nothing asked for: the container stays in the cgroups of its runtime', () => {
  expect(delegated({})).toEqual({
    directories: { v1: [], v2: undefined },
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
  expect(delegated({ canWrite, resources: { pids: { limit: 5 } } })).toEqual({
    directories: { v1: [{ name: 'pids', mountpoint: '/cg/pids', controllers: ['pids'], dir: '/cg/pids/u/c' }], v2: undefined },
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
  const { directories, inherited } = delegated({ cgroupsPath: '/d/c', canWrite });
  expect(directories.v1.map(({ dir }) => dir)).toEqual(['/cg/cpu/d/c', '/cg/pids/d/c', '/cg/systemd/d/c']);
  expect(inherited.v1).toEqual([]);
});

test('v2: beside the own cgroup, when the common ancestor lets processes be moved', () => {
  const canWrite = tree({ '/cg/user.slice': true, '/cg/user.slice/cgroup.procs': true, '/cg/cgroup.procs': false });
  expect(delegated({ layout: v2, canWrite })).toEqual({
    directories: { v1: [], v2: '/cg/user.slice/c' },
    inherited: { v1: [], v2: undefined },
  });
});

test('v2: a delegated directory that nobody may move processes to is of no use', () => {
  const canWrite = tree({ '/cg/d': true, '/cg/cgroup.procs': false });
  expect(() => delegated({ layout: v2, canWrite, cgroupsPath: '/d/c' })).toThrow('permission denied');
});

test('a hierarchy whose own cgroup the mount does not show is left out', () => {
  const { inherited } = delegated({ ownCgroups: '2:pids:/../other\n1:cpu:/\n0::/..\n' });
  expect(inherited).toEqual({ v1: [{ name: 'cpu', dir: '/cg/cpu' }], v2: undefined });
});

describe('what is asked for and cannot be had is an error in the words of runc', () => {
  const cases: readonly (readonly [string, Case, string])[] = [
    ['a path', { cgroupsPath: '/d/c' }, 'unable to apply cgroup configuration: mkdir /cg/cpu/d/c: permission denied'],
    ['a v1 limit', { resources: { pids: { limit: 5 } } }, 'cannot set pids limit: container could not join or create cgroup'],
    ['CPU time', { resources: { cpu: { quota: 5000 } } }, 'cannot set cpu limit: container could not join or create cgroup'],
    [
      'a v2 limit',
      { layout: v2, resources: { memory: { limit: 1 << 20 } } },
      'rootless needs no limits + no cgrouppath when no permission is granted for cgroups: mkdir /cg/user.slice/c: permission denied',
    ],
  ];
  for (const [name, more, message] of cases) test(name, () => expect(() => delegated(more)).toThrow(message));
});

test('device rules and empty groups are no limits', () => {
  const resources = { devices: [{ allow: false, access: 'rwm' }], memory: {}, cpu: {} };
  expect(delegated({ resources }).directories.v1).toEqual([]);
});
