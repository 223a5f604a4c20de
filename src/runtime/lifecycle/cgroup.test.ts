import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { defaultSpec } from '../default-spec.ts';
import { containerCgroupPath, warnOfIgnored } from './cgroup.ts';
import { cgroupDelegation } from './cgroup-delegation.ts';

test.each([
  [undefined, 'c1'],
  ['', 'c1'],
  ['/a/b', '/a/b'],
  ['/a//b/', '/a/b/'],
  ['/../../a', '/a'],
  ['a/b', 'a/b'],
  ['../../a', 'a'],
  ['/with:colons:in/it', '/with:colons:in/it'],
])('cgroupsPath %p is %p', (given, expected) => expect(containerCgroupPath(given, 'c1')).toBe(expected));

test.each(['system.slice:docker:1234', ':strake:x', 'user.slice::x'])('%p is systemd’s', (given) =>
  expect(() => containerCgroupPath(given, 'c1')).toThrow(`cgroupsPath ${JSON.stringify(given)} has systemd's form slice:prefix:name`),
);

test('ignored limits are told', () => {
  const told: string[] = [];
  warnOfIgnored({ memory: { kernel: 1, useHierarchy: false } }, (message) => told.push(message));
  expect(told).toEqual([
    'Kernel memory settings are ignored and will be removed',
    'linux.resources.memory.useHierarchy is ignored: every memory cgroup is hierarchical',
  ]);
  warnOfIgnored({ memory: { limit: 1, useHierarchy: true } }, () => expect().fail('nothing to tell'));
});

describe('a v2 cgroup is given to the container’s user', () => {
  const base = defaultSpec();
  const writable = (base.mounts ?? []).map((mount) => (mount.type === 'cgroup' ? { ...mount, options: ['nosuid'] } : mount));
  const mappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
  const mapped = { ...base, mounts: writable, linux: { ...base.linux, uidMappings: mappings } };
  test('who sees it alone and may write it', () =>
    expect(cgroupDelegation(mapped)).toEqual({ uid: 100000, files: readFileSync('/sys/kernel/cgroup/delegate', 'latin1').trim().split('\n') }));
  test('as its user is mapped', () => expect(cgroupDelegation({ ...mapped, process: { cwd: '/', user: { uid: 1000, gid: 0 } } })?.uid).toBe(101000));
  test('not with a read-only mount', () => expect(cgroupDelegation({ ...mapped, mounts: base.mounts ?? [] })).toBe(undefined));
  test('not without a cgroup namespace', () =>
    expect(cgroupDelegation({ ...mapped, linux: { ...mapped.linux, namespaces: [{ type: 'mount' }] } })).toBe(undefined));
  test('nor is root given what is root’s', () => expect(cgroupDelegation({ ...base, mounts: writable })).toBe(undefined));
});
