import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { MountSchema } from '../../api/containerd/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';
import { applyTarget, fromWireMounts, toWireMounts } from './mounts.ts';

/** What is asked of a kernel that knows it. */
const index = existsSync('/sys/module/overlay/parameters/index') ? ['index=off'] : [];
const idMap = { uids: '0 1000 5\n5 6000 10\n', gids: '0 1000 5\n' };
const cases: readonly [string, SnapshotMount, readonly string[]][] = [
  ['a writable directory', { type: 'bind', source: '/s/1/fs', readonly: false }, ['rw', 'rbind']],
  ['a view of one layer', { type: 'bind', source: '/s/1/fs', readonly: true }, ['ro', 'rbind']],
  [
    'a writable layer over two',
    { type: 'overlay', lowers: ['/s/2/fs', '/s/1/fs'], upper: '/s/3/fs', work: '/s/3/work', readonly: false },
    ['workdir=/s/3/work', 'upperdir=/s/3/fs', 'lowerdir=/s/2/fs:/s/1/fs', ...index],
  ],
  [
    'a view of two',
    { type: 'overlay', lowers: ['/s/2/fs', '/s/1/fs'], upper: undefined, work: undefined, readonly: true },
    ['lowerdir=/s/2/fs:/s/1/fs', ...index],
  ],
  [
    'a colon and a backslash in the root',
    { type: 'overlay', lowers: ['/a:b/2', '/a\\b/1'], upper: undefined, work: undefined, readonly: true },
    ['lowerdir=/a\\:b/2:/a\\\\b/1', ...index],
  ],
  ['mapped ids', { type: 'bind', source: '/s/1/fs', readonly: false, idMap }, ['uidmap=0:1000:5,5:6000:10', 'gidmap=0:1000:5', 'rw', 'rbind']],
];

test.each(cases)('%s is what it was when it comes back', (_name, mount, options) => {
  const wire = toWireMounts(mount);
  expect(wire.map(({ options: given }) => given)).toEqual([[...options]]);
  expect(fromWireMounts(wire.map((init) => create(MountSchema, init)))).toEqual(mount);
});

test('no mount is an empty tree, to which nothing is applied', () => {
  expect(fromWireMounts([])).toBeUndefined();
  expect(() => applyTarget(undefined)).toThrow('a layer is applied to one writable mount');
  expect(() => applyTarget({ type: 'overlay', lowers: ['/a'], upper: undefined, work: undefined, readonly: true })).toThrow('one writable mount');
});

test.each([
  ['erofs', [{ type: 'erofs', source: '/dev/loop0' }]],
  ['overlay without layers', [{ type: 'overlay', source: 'overlay', options: ['index=off'] }]],
  [
    'two mounts',
    [
      { type: 'bind', source: '/a' },
      { type: 'bind', source: '/b', target: 'b' },
    ],
  ],
])('%s is not one of ours', (_name, mounts) => {
  expect(() => fromWireMounts(mounts.map((init) => create(MountSchema, init)))).toThrow('are not those of a snapshot');
});
