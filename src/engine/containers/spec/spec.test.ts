import { expect, test } from 'bun:test';
import type { ContainerConfig, HostConfig } from '../../../api/docker/index.ts';
import { emptyConfig, emptyHostConfig } from '../fixtures.ts';
import { containerSpec, type SecurityDefaults } from './index.ts';

const security: SecurityDefaults = {
  maskedPaths: ['/proc/kcore'],
  readonlyPaths: ['/proc/sys'],
  seccomp: () => ({ defaultAction: 'SCMP_ACT_ERRNO' }),
  parseSeccomp: (json) => ({ defaultAction: json }),
};

function spec(config: Partial<ContainerConfig> = {}, hostConfig: Partial<HostConfig> = {}, uid = 0) {
  return containerSpec({
    id: 'c1',
    config: { ...emptyConfig, Cmd: ['true'], ...config },
    hostConfig: { ...emptyHostConfig, ...hostConfig },
    user: { uid, gid: 0, additionalGids: [0], home: '/root' },
    mounts: { binds: [], tmpfs: [], hostFiles: [{ source: '/h', destination: '/etc/hosts' }] },
    joined: {},
    hostname: 'box',
    security,
    cgroupsPath: '/strake/c1',
  });
}

test('the environment in docker’s order: PATH, HOSTNAME, TERM, then the container’s; HOME unless it is given', () => {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  expect(spec().process?.env).toEqual([path, 'HOSTNAME=box', 'HOME=/root']);
  expect(spec({ Tty: true, Env: ['A=1', 'PATH=/bin', 'GONE', 'A=2'] }).process?.env).toEqual(['PATH=/bin', 'HOSTNAME=box', 'TERM=xterm', 'A=2', 'HOME=/root']);
  expect(spec({ Env: ['HOME=/mine', 'HOSTNAME'] }).process?.env).toEqual([path, 'HOME=/mine']);
});

test.each([
  [['a'], ['b', 'c'], ['a', 'b', 'c']],
  [null, ['b'], ['b']],
  [['a'], null, ['a']],
  [[''], ['b'], ['b']],
] as const)('entrypoint %j and command %j', (Entrypoint, Cmd, args) => {
  expect(spec({ Entrypoint, Cmd }).process?.args).toEqual([...args]);
});

test('confined by default; privileged is not', () => {
  const plain = spec().linux;
  expect([plain?.maskedPaths, plain?.readonlyPaths, plain?.seccomp]).toEqual([['/proc/kcore'], ['/proc/sys'], { defaultAction: 'SCMP_ACT_ERRNO' }]);
  const open = spec({}, { Privileged: true });
  expect([open.linux?.maskedPaths, open.linux?.readonlyPaths, open.linux?.seccomp]).toEqual([[], [], undefined]);
  expect(open.linux?.resources?.devices).toEqual([{ allow: true, access: 'rwm' }]);
  expect(open.mounts?.find(({ destination }) => destination === '/sys')?.options).toEqual(['nosuid', 'noexec', 'nodev', 'rw']);
});

test('security options', () => {
  expect(spec({}, { SecurityOpt: ['no-new-privileges'] }).process?.noNewPrivileges).toBe(true);
  expect(spec({}, { SecurityOpt: ['no-new-privileges:false'] }).process?.noNewPrivileges).toBe(undefined);
  expect(spec({}, { SecurityOpt: ['seccomp=unconfined'] }).linux?.seccomp).toBe(undefined);
  expect(spec({}, { SecurityOpt: ['seccomp={}'] }).linux?.seccomp).toEqual({ defaultAction: '{}' });
  expect(spec({}, { SecurityOpt: ['systempaths=unconfined'] }).linux?.maskedPaths).toEqual([]);
  expect(spec({}, { SecurityOpt: ['label=disable', 'apparmor=unconfined'] }).linux?.seccomp).toBeDefined();
  for (const [option, message] of [
    ['nonsense', 'invalid --security-opt 1: "nonsense"'],
    ['a=b', 'invalid --security-opt 2: "a=b"'],
    ['no-new-privileges=maybe', 'invalid --security-opt 2: "no-new-privileges=maybe"'],
    ['apparmor=strict', 'AppArmor profile "strict" cannot be applied: AppArmor is not supported'],
    ['label=user:x', 'SELinux label "user:x" cannot be applied: SELinux is not supported'],
  ] as const)
    expect(() => spec({}, { SecurityOpt: [option] })).toThrow(message);
});

test('namespaces follow the modes', () => {
  const types = (hostConfig: Partial<HostConfig>) => spec({}, hostConfig).linux?.namespaces?.map(({ type }) => type);
  expect(types({})).toEqual(['mount', 'network', 'uts', 'ipc', 'pid', 'cgroup']);
  expect(types({ NetworkMode: 'host', IpcMode: 'host', PidMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' })).toEqual(['mount']);
  expect(spec({}, { UTSMode: 'host' }).hostname).toBe(undefined);
});

test('limits', () => {
  const resources = spec({}, { Memory: 64 << 20, MemorySwap: -1, NanoCpus: 500_000_000, CpuShares: 512, PidsLimit: -1, CpusetCpus: '0' }).linux?.resources;
  expect(resources).toMatchObject({
    memory: { limit: 64 << 20, swap: -1 },
    cpu: { shares: 512, period: 100_000, quota: 50_000, cpus: '0' },
    pids: { limit: -1 },
  });
  expect(spec({}, { Ulimits: [{ Name: 'nofile', Soft: 10, Hard: -1 }] }).process?.rlimits).toEqual([
    { type: 'RLIMIT_NOFILE', soft: 10n, hard: 2n ** 64n - 1n },
  ]);
  expect(() => spec({}, { Ulimits: [{ Name: 'nofile', Soft: 20, Hard: 10 }] })).toThrow('ulimit soft limit must be less than or equal to hard limit: 20 > 10');
  expect(() => spec({}, { Ulimits: [{ Name: 'x', Soft: 1, Hard: 1 }] })).toThrow('invalid ulimit type: x');
});

test('sysctls only of the container’s own namespaces, and never more than one', () => {
  expect(spec().linux?.sysctl).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' });
  expect(spec({}, { NetworkMode: 'host' }).linux?.sysctl).toBe(undefined);
  expect(spec({}, { Sysctls: { 'kernel.msgmax': '4096' } }).linux?.sysctl).toMatchObject({ 'kernel.msgmax': '4096' });
  for (const [key, value] of [
    ['kernel.panic', '1'],
    ['kernel.msgmax', '1+kernel.panic=1'],
    ['kernel.msgmax', '1\nx'],
    ['net.ipv4/../../kernel/panic', '1'],
    ['/kernel/panic', '1'],
    ['net.ipv4.x=y', '1'],
  ] as const)
    expect(() => spec({}, { Sysctls: { [key]: value } })).toThrow('sysctl');
  expect(() => spec({}, { NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } })).toThrow('not allowed in host network namespace');
});

test('host files come after the system’s mounts', () => {
  expect(spec().mounts?.map(({ destination }) => destination)).toEqual([
    '/proc',
    '/dev',
    '/dev/pts',
    '/sys',
    '/sys/fs/cgroup',
    '/dev/mqueue',
    '/dev/shm',
    '/etc/hosts',
  ]);
});
