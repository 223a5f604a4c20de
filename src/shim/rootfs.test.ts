import { expect, test } from 'bun:test';
import type { RuntimeSpec } from '../oci/index.ts';
import { rootfsOf } from './rootfs.ts';

const spec: RuntimeSpec = { ociVersion: '1.3.0', root: { path: 'rootfs' } };
const idMap = { uids: '0 1000 5\n5 6000 10\n', gids: '0 2000 5\n' };
const mount = (type: string, source: string, options: readonly string[], target = '') => ({ type, source, target, options: [...options] });

test.each([
  ['nothing: what is in the bundle', [], { type: 'directory', path: '/b/rootfs' }],
  [
    'an overlay',
    [mount('overlay', 'overlay', ['index=off', 'workdir=/s/2/work', 'upperdir=/s/2/fs', 'lowerdir=/s/1/fs:/s/0/fs'])],
    { type: 'overlay', lowers: ['/s/1/fs', '/s/0/fs'], upper: '/s/2/fs', work: '/s/2/work', readonly: false },
  ],
  [
    'a view of several layers',
    [mount('overlay', 'overlay', ['lowerdir=/s/a\\:b:/s/0'])],
    { type: 'overlay', lowers: ['/s/a:b', '/s/0'], upper: undefined, work: undefined, readonly: true },
  ],
  [
    'owners that are mapped',
    [mount('overlay', 'overlay', ['uidmap=0:1000:5,5:6000:10', 'gidmap=0:2000:5', 'workdir=/s/2/work', 'upperdir=/s/2/fs', 'lowerdir=/s/1/fs'])],
    { type: 'overlay', lowers: ['/s/1/fs'], upper: '/s/2/fs', work: '/s/2/work', readonly: false, idMap },
  ],
  [
    'a bind with those',
    [mount('bind', '/s/1/fs', ['uidmap=0:1000:5,5:6000:10', 'gidmap=0:2000:5', 'rw'])],
    { type: 'bind', source: '/s/1/fs', readonly: false, idMap },
  ],
  ['a bind', [mount('bind', '/s/1/fs', ['rw', 'rbind'])], { type: 'bind', source: '/s/1/fs', readonly: false }],
  ['a read-only bind', [mount('bind', '/s/1/fs', ['ro', 'rbind'])], { type: 'bind', source: '/s/1/fs', readonly: true }],
] as const)('%s', (_what, mounts, rootfs) => {
  expect(rootfsOf(mounts, '/b', spec)).toEqual(rootfs as never);
});

test.each([
  ['an image file', [mount('ext4', '/dev/loop0', ['loop'])], 'a root filesystem of ext4 of /dev/loop0'],
  ['two mounts', [mount('bind', '/a', []), mount('bind', '/b', [])], 'a root filesystem of bind of /a, bind of /b'],
  ['a mount below', [mount('bind', '/a', [], 'x')], 'a root filesystem of bind of /a'],
  ['an option that changes what is seen', [mount('overlay', 'overlay', ['lowerdir=/a', 'metacopy=on'])], 'overlay option metacopy=on'],
])('refused: %s', (_what, mounts, message) => {
  expect(() => rootfsOf(mounts, '/b', spec)).toThrow(message);
});
