import { describe, expect, test } from 'bun:test';
import type { RuntimeSpec } from '../../oci/index.ts';
import { defaultSpec } from '../default-spec.ts';
import { capabilityMasks } from './capabilities.ts';
import { cpuMask } from './cpu-mask.ts';
import { compileCreate } from './create.ts';
import type { CreateOptions } from './options.ts';

const options: CreateOptions = {
  id: 'c',
  bundle: '/b',
  rootfs: { type: 'directory', path: 'rootfs' },
  stdio: { kind: 'inherit' },
  start: { kind: 'at-once' },
  machine: {
    boundingSet: (1n << 41n) - 1n,
    arch: 'x86_64',
    apparmor: false,
    selinux: false,
    kcore: true,
    allCapabilities: (1n << 41n) - 1n,
    inUserNamespace: false,
  },
  cgroup: { v1: [], v1Links: [], v2: undefined, create: [], initAttach: [], cleanup: [], oomFile: '' },
};
const base: RuntimeSpec = { ...defaultSpec(), process: { cwd: '/', args: ['sh'] } };
const withMount = (destination: string, more: object = {}): RuntimeSpec => ({ ...base, mounts: [{ destination, type: 'tmpfs', ...more }] });
const withProcess = (process: object): RuntimeSpec => ({ ...base, process: { cwd: '/', args: ['sh'], ...process } });

describe('compileCreate refuses, before anything is made,', () => {
  const cases: readonly (readonly [string, RuntimeSpec, string])[] = [
    ['a tmpfs on /proc', withMount('/proc'), 'mounts[0]: "/proc" cannot be mounted because it is not of type proc'],
    ['a mount in /proc', withMount('/proc/sys'), 'mounts[0]: "/proc/sys" cannot be mounted because it is inside /proc'],
    ['the same by ..', withMount('/x/../proc/self/attr'), 'mounts[0]: "/x/../proc/self/attr" cannot be mounted because it is inside /proc'],
    ['a bind without a source', withMount('/x', { type: 'bind' }), 'mounts[0]: bind mount on /x has no source'],
    ['an id-mapped mount of no bind', withMount('/x', { options: ['idmap'] }), 'mounts[0]: id-mapped mounts are only supported for bind-mounts'],
    [
      'a mapping of nothing',
      withMount('/x', { source: '/y', options: ['bind', 'idmap'] }),
      'mounts[0]: id-mapped mounts must have both uid and gid mappings specified',
    ],
    [
      'a mapping of uids alone',
      withMount('/x', { source: '/y', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      'mounts[0]: id-mapped mounts must have both uid and gid mappings specified',
    ],
    ['copy-up of no tmpfs', withMount('/x', { type: 'proc', options: ['tmpcopyup'] }), 'mounts[0]: tmpcopyup is for mounts of type tmpfs, not proc'],
    ['copy-up of the root', withMount('/', { options: ['tmpcopyup'] }), 'mounts[0]: tmpcopyup on / would copy the whole root filesystem into memory'],
    ['a new filesystem that follows no link', withMount('/x', { options: ['dest-nofollow'] }), 'mounts[0]: dest-nofollow is for bind mounts, not tmpfs'],
    [
      'a remount with iversion',
      withMount('/x', { options: ['remount', 'iversion'] }),
      'mounts[0] cannot be honoured: iversion and silent cannot be changed by a remount',
    ],
    [
      'a mount label without SELinux',
      { ...base, linux: { ...base.linux, mountLabel: 'l' } },
      'linux.mountLabel cannot be honoured: SELinux is not enabled on this machine; leave the label out',
    ],
    [
      'masks without a mount namespace',
      { ...base, linux: { ...base.linux, namespaces: [] } },
      'linux.maskedPaths: unable to restrict sys entries without a private MNT namespace',
    ],
    [
      'a shared root whose parent is not known',
      { ...base, linux: { ...base.linux, rootfsPropagation: 'shared' } },
      'linux.rootfsPropagation: the mount that holds the root is not known',
    ],
    ['uid -1', withProcess({ user: { uid: 4294967295, gid: 0 } }), 'process.user: id 4294967295 is outside of 0–4294967294'],
    ['gid 2^32', withProcess({ user: { uid: 0, gid: 4294967296 } }), 'process.user: id 4294967296 is outside of 0–4294967294'],
    ['an unknown limit', withProcess({ rlimits: [{ type: 'RLIMIT_X', soft: 0, hard: 0 }] }), 'process.rlimits: unknown limit "RLIMIT_X"'],
    [
      'apparmor where there is none',
      withProcess({ apparmorProfile: 'p' }),
      'process.apparmorProfile cannot be honoured: apparmor is not enabled on this machine',
    ],
    ['an unknown propagation', { ...base, linux: { ...base.linux, rootfsPropagation: 'x' } }, 'linux.rootfsPropagation: rootfsPropagation=x is not supported'],
    ['a device of no type', { ...base, linux: { ...base.linux, devices: [{ path: '/dev/x', type: 'z' }] } }, 'linux.devices: /dev/x has the unknown type "z"'],
    [
      'a terminal without a console',
      withProcess({ terminal: true }),
      'process.terminal: cannot allocate tty if runc will detach without setting console socket',
    ],
  ];
  for (const [name, spec, message] of cases)
    test(name, () => {
      expect(() => compileCreate(spec, options)).toThrow(message);
    });
});

test('--no-pivot in the mount namespace of the host', () => {
  const spec = { ...base, linux: { ...base.linux, namespaces: [], maskedPaths: [], readonlyPaths: [] } };
  expect(() => compileCreate(spec, { ...options, noPivot: true })).toThrow("linux.namespaces: --no-pivot without a mount namespace would move the host's root");
});

test('capabilities that the machine lacks are left out of every set and reported once', () => {
  const warnings: string[] = [];
  const names = ['CAP_CHOWN', 'CAP_SYS_RESOURCE', 'CAP_NEW'];
  const masks = capabilityMasks({ bounding: names, effective: names, permitted: names, ambient: ['CAP_CHOWN'] }, ~(1n << 24n), (text) => warnings.push(text));
  expect(masks).toEqual({ bounding: 1n, effective: 1n, permitted: 1n, inheritable: 0n, ambient: 0n });
  expect(warnings).toEqual([
    "can't raise ambient capability CAP_CHOWN: operation not permitted",
    'ignoring unknown or unavailable capabilities: [CAP_NEW CAP_SYS_RESOURCE]',
  ]);
});

describe('cpuMask', () => {
  test('lists', () => {
    expect([...cpuMask('f', '0-3,7')]).toEqual([0x8f, 0, 0, 0, 0, 0, 0, 0]);
    expect([...cpuMask('f', '64')]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });
  for (const bad of ['', '3-1', 'a', '0,', '8192', '-1'])
    test(`refuses ${JSON.stringify(bad)}`, () => expect(() => cpuMask('f', bad)).toThrow('f: invalid CPU list'));
});

test('a hook that may take longer than the operation can say may take as long as it can', () => {
  const hooks = { createRuntime: [{ path: '/bin/true', timeout: 4_294_968 }] };
  const timeouts = compileCreate({ ...base, hooks }, options).flatMap((op) => (op.op === 'hook' ? [op.timeoutMs] : []));
  expect(timeouts).toEqual([0xffff_ffff]);
});
