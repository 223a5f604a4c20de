import { expect, test } from 'bun:test';
import type { RuntimeSpec } from '../../oci/index.ts';
import { injectDevices, wantedDevices } from './inject.ts';
import { parseCdi } from './specification.ts';

const spec: RuntimeSpec = {
  ociVersion: '1.3.0',
  process: { cwd: '/', env: ['A=1', 'B=2'], user: { uid: 7, gid: 0, additionalGids: [1] } },
  mounts: [{ destination: '/lib', source: '/x' }],
  linux: { devices: [], resources: { devices: [{ allow: false, access: 'rwm' }] } },
};

const file = parseCdi(
  `cdiVersion: "0.8.0"
kind: vendor.com/device
containerEdits:
  env: [B=3]
devices:
- name: one
  containerEdits:
    deviceNodes:
    - path: /dev/vendor
      hostPath: /dev/null
    mounts:
    - {hostPath: /y, containerPath: /lib, options: [ro, rbind]}
    additionalGids: [0, 44]
- name: two
  containerEdits:
    deviceNodes:
    - {path: /dev/other, type: c, major: 10, minor: 3, permissions: r, uid: 9}
    hooks:
    - {hookName: createContainer, path: /bin/hook, args: [hook, a]}
`,
  '/etc/cdi/vendor.yaml',
);

test('devices with what their file says of all of them, once', () => {
  const made = injectDevices(spec, ['vendor.com/device=one', 'vendor.com/device=two'], [[file], []]);
  expect(made.process).toEqual({ cwd: '/', env: ['A=1', 'B=3'], user: { uid: 7, gid: 0, additionalGids: [1, 44] } });
  expect(made.mounts).toEqual([{ destination: '/lib', source: '/y', type: 'bind', options: ['ro', 'rbind'] }]);
  expect(made.linux?.devices).toEqual([
    { path: '/dev/vendor', type: 'c', major: 1, minor: 3, uid: 7 },
    { path: '/dev/other', type: 'c', major: 10, minor: 3, uid: 9 },
  ]);
  expect(made.linux?.resources?.devices).toEqual([
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 3, access: 'r' },
  ]);
  expect(made.hooks).toEqual({ createContainer: [{ path: '/bin/hook', args: ['hook', 'a'] }] });
});

test('the directory of more weight wins; two files of one directory do not', () => {
  const other = parseCdi('{"kind":"vendor.com/device","devices":[{"name":"one","containerEdits":{"env":["C=4"]}}]}', '/var/run/cdi/vendor.json');
  expect(injectDevices(spec, ['vendor.com/device=one'], [[file], [other]]).process?.env).toEqual(['A=1', 'B=2', 'C=4']);
  expect(() => injectDevices(spec, ['vendor.com/device=one'], [[file, other]])).toThrow('is in /etc/cdi/vendor.yaml and /var/run/cdi/vendor.json');
  expect(() => injectDevices(spec, ['vendor.com/device=none', 'x/y=z'], [[file]])).toThrow('unresolvable CDI devices vendor.com/device=none, x/y=z');
});

test('which are wanted: by field and annotation, each once', () => {
  expect(wantedDevices([{ name: 'a/b=c' }], { 'cdi.k8s.io/x': 'a/b=c, d/e=f', other: 'g/h=i' })).toEqual(['a/b=c', 'd/e=f']);
});

test.each([
  ['[]', 'is no object'],
  ['kind: nonsense', 'is not VENDOR/CLASS'],
  ['kind: a/b\ndevices: {}', 'devices is no list'],
  ['kind: a/b\ndevices: [{name: ""}]', 'devices[0].name is no text'],
  ['kind: a/b\ndevices: [{name: "/", containerEdits: {}}]', 'is no name of a device'],
  ['kind: a/b\ncontainerEdits: {env: [x]}', 'env[0] is not NAME=VALUE'],
  ['kind: a/b\ncontainerEdits: {mounts: [{hostPath: /a}]}', 'mounts[0].containerPath is no text'],
  ['kind: a/b\ncontainerEdits: {additionalGids: [-1]}', 'additionalGids[0] is no group'],
])('%j is refused', (text, message) => {
  expect(() => parseCdi(text, 'f')).toThrow(message);
});
