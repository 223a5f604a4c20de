import { expect, test } from 'bun:test';
import { planMounts } from './mount-plan.ts';

const plan = (Binds: readonly string[], rest: Partial<Parameters<typeof planMounts>[1]> = {}, Volumes: Record<string, object> | null = null) =>
  planMounts({ Volumes }, { Binds, ...rest });

const bind = { type: 'bind', mode: '', readonly: false, readonlyRecursive: false, recursive: true, propagation: 'rprivate', createSource: true } as const;
const volume = { type: 'volume', mode: '', readonly: false, copyUp: true, driver: '', labels: {} } as const;

test.each([
  ['/a:/b', { ...bind, source: '/a', destination: '/b' }],
  ['/a/../c/:/b/', { ...bind, source: '/c', destination: '/b' }],
  ['/a:/b:ro,z', { ...bind, source: '/a', destination: '/b', mode: 'ro,z', readonly: true }],
  ['/a:/b:rshared', { ...bind, source: '/a', destination: '/b', mode: 'rshared', propagation: 'rshared' }],
  ['name:/b:nocopy', { ...volume, name: 'name', destination: '/b', mode: 'nocopy', copyUp: false }],
  ['/anonymous', { ...volume, name: '', destination: '/anonymous' }],
] as const)('-v %s', (text, expected) => {
  expect(plan([text])).toEqual([expected]);
});

test.each([
  ['/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"],
  [':/b', "invalid volume specification: ':/b'"],
  ['/a:ro', "invalid volume specification: '/a:ro'"],
  ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
  ['/a:/b:x', 'invalid mode: x'],
  ['/a:b', `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`],
  ['/a:/', `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`],
  ['/a:/../', `invalid volume specification: '/a:/../': invalid mount config for type "bind": invalid specification: destination can't be '/'`],
])('-v %s is refused', (text, message) => {
  expect(() => plan([text])).toThrow(new RegExp(`^${message.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&')}$`));
});

test('--mount', () => {
  expect(plan([], { Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } }] })).toEqual([
    { type: 'tmpfs', destination: '/t', options: ['mode=700', 'size=1024'], listed: true },
  ]);
  expect(plan([], { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', ReadOnly: true, VolumeOptions: { NoCopy: true } }] })).toEqual([
    { ...volume, name: 'v', destination: '/v', mode: 'z', readonly: true, copyUp: false },
  ]);
  expect(() => plan([], { Mounts: [{ Type: 'bind', Source: '/no/such', Target: '/b' }] })).toThrow(
    'invalid mount config for type "bind": bind source path does not exist: /no/such',
  );
  expect(() => plan([], { Mounts: [{ Type: 'tmpfs', Source: 'x', Target: '/b' }] })).toThrow(
    'invalid mount config for type "tmpfs": field Source must not be specified',
  );
  expect(() => plan([], { Mounts: [{ Type: 'odd' as 'bind', Target: '/b' }] })).toThrow('invalid mount config for type "odd": mount type unknown');
});

test('the same destination twice is refused; an image’s volume gives way, and stays inside', () => {
  expect(() => plan(['/a:/b', '/c:/b/'])).toThrow('Duplicate mount point: /b');
  expect(plan(['/a:/b'], {}, { '/b': {} })).toEqual([{ ...bind, source: '/a', destination: '/b' }]);
  expect(plan([], {}, { '/../../etc': {}, data: {} })).toEqual([
    { ...volume, name: '', destination: '/etc' },
    { ...volume, name: '', destination: '/data' },
  ]);
});

test('an image: its sub path stays within, and options of other kinds are none of its own', () => {
  const image = { Type: 'image', Source: 'tools:1', Target: '/img/' } as const;
  const planned = { type: 'image', name: 'tools:1', subpath: '', destination: '/img', readonly: true, imageId: '' };
  expect(plan([], { Mounts: [image] })).toEqual([planned] as never);
  expect(plan([], { Mounts: [{ ...image, ReadOnly: false, ImageOptions: { Subpath: 'a/../b' } }] })).toEqual([{ ...planned, subpath: 'a/../b' }] as never);
  const within = 'invalid mount config for type "image": subpath must be a relative path within the volume';
  for (const Subpath of ['/a', '..', 'a/../../b']) expect(() => plan([], { Mounts: [{ ...image, ImageOptions: { Subpath } }] })).toThrow(within);
  expect(() => plan([], { Mounts: [{ ...image, Source: '' }] })).toThrow('invalid mount config for type "image": field Source must not be empty');
  expect(() => plan([], { Mounts: [{ ...image, BindOptions: {} }] })).toThrow('BindOptions must not be specified on mount type "image"');
  expect(() => plan([], { Mounts: [{ Type: 'tmpfs', Target: '/t', ImageOptions: { Subpath: 'a' } }] })).toThrow(
    'invalid mount config for type "tmpfs": field ImageOptions must not be specified',
  );
});
