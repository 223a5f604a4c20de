import { describe, expect, test } from 'bun:test';
import { formatJson, parseProcessSpec, parseResourcesSpec, parseRuntimeSpec } from './index.ts';

const good = {
  ociVersion: '1.2.0',
  root: { path: 'rootfs' },
  process: { cwd: '/', args: ['sh'] },
  linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network' }, { type: 'ipc' }] },
};
const withLinux = (linux: object) => ({ ...good, linux: { ...good.linux, ...linux } });
const withProcess = (process: object) => ({ ...good, process: { ...good.process, ...process } });

test('hooks of an unknown kind are an unknown field', () => {
  expect(parseRuntimeSpec(JSON.stringify({ ...good, hooks: { other: 'x', poststop: [{ path: '/x' }] } })).hooks?.poststop).toEqual([{ path: '/x' }]);
});

describe('parseRuntimeSpec refuses', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no JSON', '{', 'config.json is not valid JSON'],
    ['a list', [], 'config.json: must be an object'],
    ['null', null, 'config.json: must be an object'],
    ['null in a list', { ...good, mounts: [null] }, 'mounts[0]: must not be null'],
    ['a rule without names', withLinux({ seccomp: { defaultAction: 'x', syscalls: [{ action: 'y' }] } }), 'linux.seccomp.syscalls[0].names: is missing'],
    ['a limit that is text', withLinux({ resources: { pids: { limit: '1' } } }), 'linux.resources.pids.limit: must be an integer'],
    [
      'an id of more than 32 bits',
      withLinux({ uidMappings: [{ containerID: 0, hostID: 2 ** 32, size: 1 }] }),
      'linux.uidMappings[0].hostID: 4294967296 is outside of 0–4294967295',
    ],
    ['a priority that is a list', withProcess({ scheduler: { policy: 'SCHED_FIFO', priority: [] } }), 'process.scheduler.priority: must be an integer'],
    ['a missing version', { ...good, ociVersion: undefined }, 'ociVersion: is missing'],
    ['version 2', { ...good, ociVersion: '2.0.0' }, 'ociVersion: unsupported version "2.0.0"'],
    ['an empty root', { ...good, root: { path: '' } }, 'root.path: is empty'],
    ['a relative cwd', withProcess({ cwd: 'tmp' }), 'process.cwd: Cwd must be an absolute path'],
    ['no arguments', withProcess({ args: null }), 'process.args: args must not be empty'],
    ['a NUL in an argument', withProcess({ args: ['a\0b'] }), 'process.args[0]: has a NUL byte'],
    ['an uid that is text', withProcess({ user: { uid: '0', gid: 0 } }), 'process.user.uid: must be an integer'],
    ['a broken uid', withProcess({ user: { uid: 1.5, gid: 0 } }), 'process.user.uid: must be an integer'],
    [
      'one limit twice',
      withProcess({ rlimits: [1, 2].map((n) => ({ type: 'RLIMIT_CORE', soft: n, hard: n })) }),
      'process.rlimits: RLIMIT_CORE is given twice',
    ],
    [
      'soft above hard',
      withProcess({ rlimits: [{ type: 'RLIMIT_CORE', soft: 2, hard: 1 }] }),
      'process.rlimits: RLIMIT_CORE: the soft limit is above the hard one',
    ],
    ['an oom score', withProcess({ oomScoreAdj: 1001 }), 'process.oomScoreAdj: 1001 is outside of -1000–1000'],
    ['an unknown namespace', withLinux({ namespaces: [{ type: 'mnt' }] }), 'linux.namespaces: unknown namespace "mnt"'],
    ['one namespace twice', withLinux({ namespaces: [{ type: 'mount' }, { type: 'mount' }] }), 'linux.namespaces: malformed spec file: duplicated ns "mount"'],
    [
      'a hostname on the host',
      { ...good, hostname: 'h', linux: { namespaces: [{ type: 'mount' }] } },
      'hostname: unable to set hostname without a private UTS namespace',
    ],
    [
      'id maps without a user namespace',
      withLinux({ uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      'linux.uidMappings: user namespace mappings specified, but user namespace is not enabled in the config',
    ],
    [
      'a machine-wide sysctl',
      withLinux({ sysctl: { 'kernel.core_pattern': '|/x' } }),
      'linux.sysctl: sysctl "kernel.core_pattern" is not in a separate kernel namespace',
    ],
    [
      'the same with slashes',
      withLinux({ sysctl: { 'kernel/core_pattern': '|/x' } }),
      'linux.sysctl: sysctl "kernel/core_pattern" is not in a separate kernel namespace',
    ],
    ['a path in a sysctl', withLinux({ sysctl: { 'net/../kernel/core_pattern': 'x' } }), 'linux.sysctl: malformed key "net/../kernel/core_pattern"'],
    ['a line feed in a value', withLinux({ sysctl: { 'net.core.somaxconn': '1\n2' } }), 'linux.sysctl: value of net.core.somaxconn has a line feed or NUL'],
    ['a relative hook', { ...good, hooks: { prestart: [{ path: 'x' }] } }, 'hooks.prestart: "x" is not an absolute path'],
  ];
  for (const [name, spec, message] of cases)
    test(name, () => {
      expect(() => parseRuntimeSpec(typeof spec === 'string' ? spec : JSON.stringify(spec))).toThrow(message);
    });
});

describe('parseRuntimeSpec takes', () => {
  test('null for a missing list', () => {
    expect(parseRuntimeSpec(JSON.stringify(withLinux({ devices: null, sysctl: null })))).toEqual(good as never);
  });
  test('sysctls of the container', () => {
    const sysctl = {
      'net.core.somaxconn': '1',
      'kernel.shmmax': '2',
      'fs.mqueue.msg_max': '3',
      'kernel.domainname': 'd',
      'net/ipv4/conf/eth0.1/forwarding': '1',
    };
    expect(parseRuntimeSpec(JSON.stringify(withLinux({ sysctl }))).linux?.sysctl).toEqual(sysctl);
  });
  test('int64 limits without loss', () => {
    const text = JSON.stringify(good).replace('"linux":{', '"linux":{"resources":{"memory":{"limit":9223372036854771712}},');
    const spec = parseRuntimeSpec(text);
    expect(spec.linux?.resources?.memory?.limit).toBe(9223372036854771712n);
    expect(formatJson(spec.linux?.resources)).toBe('{"memory":{"limit":9223372036854771712}}');
  });
  test('a label named __proto__', () => {
    const text = JSON.stringify(good).replace('{', '{"annotations":{"__proto__":"x"},');
    expect(Object.entries(parseRuntimeSpec(text).annotations ?? {})).toEqual([['__proto__', 'x']]);
  });
});

test('names of fields in any case, as Go reads them; a map has its own', () => {
  const text = '{"CPU": {"Shares": 512}, "hugepageLimits": [{"pagesize": "2MB", "LIMIT": 5}], "Unified": {"CPU.Max": "1"}}';
  expect(parseResourcesSpec(text)).toEqual({ cpu: { shares: 512 }, hugepageLimits: [{ pageSize: '2MB', limit: 5 }], unified: { 'CPU.Max': '1' } });
});

test('parseProcessSpec', () => {
  expect(parseProcessSpec('{"cwd":"/","args":["id"],"user":{"uid":1,"gid":2}}')).toEqual({ cwd: '/', args: ['id'], user: { uid: 1, gid: 2 } });
  expect(() => parseProcessSpec('{"args":["id"]}')).toThrow('process.cwd: is missing');
});
