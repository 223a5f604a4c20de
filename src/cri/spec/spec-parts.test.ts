import { expect, test } from 'bun:test';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { criLinux, criPod } from '../../api/cri/index.ts';
import { podCapabilities } from './capabilities.ts';
import { cgroupPath, podCgroup } from './cgroup-path.ts';
import { apparmorOf, refuseSelinux, seccompOf } from './confinement.ts';
import { containerNamespaces, userMappings } from './namespaces.ts';
import { commandLine, environment, execEnvironment } from './process.ts';
import { limits } from './resources.ts';
import { podSysctls } from './sysctls.ts';
import { podUser } from './user.ts';

const security = (context: MessageInitShape<typeof criLinux.LinuxContainerSecurityContextSchema>) =>
  create(criLinux.LinuxContainerSecurityContextSchema, context);
const { NamespaceMode: Mode, SecurityProfile_ProfileType: Kind } = criLinux;

test.each([
  [[], [], ['entry', 'cmd']],
  [['own'], [], ['own']],
  [[], ['arg'], ['entry', 'arg']],
  [['own'], ['arg'], ['own', 'arg']],
])('command %j with %j', (command, args, expected) => {
  expect(commandLine({ command, args }, { Entrypoint: ['entry'], Cmd: ['cmd'] })).toEqual(expected);
});

test('no command at all is refused', () => {
  expect(() => commandLine({ command: [], args: [] }, {})).toThrow('no command specified');
});

test('the environment: the image’s, then the container’s, which replaces; a terminal is told', () => {
  const key = (name: string, value: string) => ({ $typeName: 'runtime.v1.KeyValue' as const, key: name, value: Buffer.from(value) });
  const env = environment({ envs: [key('A', '2'), key('B', 'x=y')], tty: true }, { Env: ['A=1', 'PATH=/bin'] }, 'host');
  expect(env).toEqual(['PATH=/bin', 'TERM=xterm', 'HOSTNAME=host', 'A=2', 'B=x=y']);
  expect(() => environment({ envs: [key('A', 'a\0b')], tty: false }, {}, 'h')).toThrow('NUL');
  expect(execEnvironment(['A=1'], true)).toEqual(['A=1', 'TERM=xterm']);
  expect(execEnvironment(['TERM=vt100'], true)).toEqual(['TERM=vt100']);
  expect(execEnvironment(['A=1'], false)).toEqual(['A=1']);
});

const machine = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN'];

test.each([
  [{ addCapabilities: ['ALL'] }, machine],
  [{ addCapabilities: ['ALL'], dropCapabilities: ['SYS_ADMIN'] }, ['CAP_CHOWN', 'CAP_KILL']],
  [{ dropCapabilities: ['ALL'] }, []],
  [{ dropCapabilities: ['ALL'], addCapabilities: ['KILL'] }, ['CAP_KILL']],
  [{ dropCapabilities: ['ALL', 'KILL'], addCapabilities: ['KILL', 'CHOWN'] }, ['CAP_CHOWN']],
])('capabilities %j', (capabilities, expected) => {
  expect(podCapabilities(security({ capabilities }), machine)).toEqual({ capabilities: expected, ambient: [] });
});

test('capabilities: privileged has the machine’s; ambient ones are given too, unless they are dropped', () => {
  expect(podCapabilities(security({ privileged: true }), machine).capabilities).toEqual(machine);
  const ambient = { dropCapabilities: ['ALL', 'CHOWN'], addAmbientCapabilities: ['KILL', 'CHOWN'] };
  expect(podCapabilities(security({ capabilities: ambient }), machine)).toEqual({ capabilities: ['CAP_KILL'], ambient: ['CAP_KILL'] });
  expect(() => podCapabilities(security({ capabilities: { addCapabilities: ['nonsense'] } }), machine)).toThrow('unknown capability');
});

test.each([
  ['', 'cgroupfs', '/k8s.io/c'],
  ['/kubepods/pod1', 'cgroupfs', '/kubepods/pod1/c'],
  ['kubepods/pod1/', 'cgroupfs', '/kubepods/pod1/c'],
  ['', 'systemd', '/k8s.io/c'],
  ['kubepods-burstable-pod1.slice', 'systemd', '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-strake-c.scope'],
  ['/kubepods.slice/kubepods-pod1.slice', 'systemd', '/kubepods.slice/kubepods-pod1.slice/cri-strake-c.scope'],
  ['-.slice', 'systemd', '/cri-strake-c.scope'],
] as const)('cgroup below %j by %s', (parent, driver, expected) => {
  expect(cgroupPath(parent, 'c', driver)).toBe(expected);
});

test.each([
  ['a.slice', 'cgroupfs', 'is a slice'],
  ['/a/../b', 'cgroupfs', 'leads elsewhere'],
  ['/a', 'systemd', 'is no slice'],
  ['a--b.slice', 'systemd', 'is no name of a slice'],
] as const)('cgroup parent %j by %s is refused', (parent, driver, message) => {
  expect(() => podCgroup(parent, driver)).toThrow(message);
});

const profiles = {
  availableCapabilities: [],
  lowestOomScoreAdj: 0,
  seccomp: () => ({ defaultAction: 'default' }),
  parseSeccomp: (json: string) => ({ defaultAction: json }),
};

test.each([
  [{}, undefined],
  [{ privileged: true, seccomp: { profileType: Kind.RuntimeDefault } }, undefined],
  [{ seccomp: { profileType: Kind.RuntimeDefault } }, { defaultAction: 'default' }],
  [{ seccomp: { profileType: Kind.Unconfined } }, undefined],
  [{ seccompProfilePath: 'runtime/default' }, { defaultAction: 'default' }],
  [{ seccompProfilePath: 'unconfined' }, undefined],
  [{ seccomp: { profileType: Kind.Localhost, localhostRef: '/proc/sys/kernel/ostype' } }, { defaultAction: 'Linux\n' }],
])('seccomp of %j', (context, expected) => {
  expect(seccompOf(security(context), profiles, [])).toEqual(expected);
});

test('a profile that is not there, or would not be enforced, is refused', () => {
  expect(() => seccompOf(security({ seccomp: { profileType: Kind.Localhost, localhostRef: '/none' } }), profiles, [])).toThrow(
    'failed to load seccomp profile "/none"',
  );
  expect(() => seccompOf(security({ seccompProfilePath: 'localhost/a' }), profiles, [])).toThrow('must be an absolute path');
  const apparmor = security({ apparmor: { profileType: Kind.Localhost, localhostRef: 'localhost/strict' } });
  expect(apparmorOf(apparmor, () => true)).toBe('strict');
  expect(() => apparmorOf(apparmor, () => false)).toThrow('AppArmor profile "strict" cannot be applied');
  expect(apparmorOf(security({ apparmor: { profileType: Kind.RuntimeDefault } }), () => false)).toBeUndefined();
  expect(() => refuseSelinux(create(criLinux.SELinuxOptionSchema, { type: 't', level: 's0' }))).toThrow('SELinux label "t:s0" cannot be applied');
  refuseSelinux(undefined);
});

const pod = { network: '/n', ipc: '/i', uts: '/u', sharedMemory: '/dev/shm' };

test.each([
  [Mode.CONTAINER, pod, ['mount', 'network:/n', 'ipc:/i', 'uts:/u', 'pid']],
  [Mode.POD, { ...pod, pid: '/p' }, ['mount', 'network:/n', 'ipc:/i', 'uts:/u', 'pid:/p']],
  [Mode.POD, pod, ['mount', 'network:/n', 'ipc:/i', 'uts:/u']],
  [Mode.NODE, { sharedMemory: '/dev/shm', user: '/us' }, ['mount', 'user:/us']],
  [Mode.TARGET, pod, ['mount', 'network:/n', 'ipc:/i', 'uts:/u', 'pid:/t']],
])('namespaces in process mode %d', (pid, namespaces, expected) => {
  const options = create(criLinux.NamespaceOptionSchema, { pid });
  const made = containerNamespaces(options, { pod: namespaces, targetPid: '/t', ownCgroupNamespace: false });
  expect(made.map(({ type, path }) => (path === undefined ? type : `${type}:${path}`))).toEqual(expected);
});

test('user namespaces', () => {
  const maps = [{ hostId: 100_000, containerId: 0, length: 65_536 }];
  const mapping = [{ hostID: 100_000, containerID: 0, size: 65_536 }];
  const options = (value: MessageInitShape<typeof criLinux.UserNamespaceSchema>) => create(criLinux.UserNamespaceSchema, value);
  expect(userMappings(options({ mode: Mode.POD, uids: maps, gids: maps }))).toEqual({ uidMappings: mapping, gidMappings: mapping });
  expect(userMappings(options({ mode: Mode.NODE }))).toBeUndefined();
  expect(userMappings(undefined)).toBeUndefined();
  expect(() => userMappings(options({ mode: Mode.NODE, uids: maps }))).toThrow('mode NODE with mappings');
  expect(() => userMappings(options({ mode: Mode.POD, uids: maps }))).toThrow('of users and of groups');
  expect(() => userMappings(options({ mode: Mode.CONTAINER }))).toThrow('unsupported user namespace mode');
});

test('limits: zero is left alone, swap is none beyond the memory unless it is given', () => {
  const resources = (value: MessageInitShape<typeof criLinux.LinuxContainerResourcesSchema>) => limits(create(criLinux.LinuxContainerResourcesSchema, value));
  expect(resources({})).toEqual({});
  expect(resources({ memoryLimitInBytes: 1024n, cpuQuota: -1n, cpusetCpus: '0' })).toEqual({
    memory: { limit: 1024, swap: 1024 },
    cpu: { quota: -1, cpus: '0' },
  });
  expect(resources({ memorySwapLimitInBytes: 2n ** 60n })).toEqual({ memory: { swap: 2n ** 60n } });
  expect(resources({ hugepageLimits: [{ pageSize: '2MB', limit: 4n }], unified: { 'memory.high': '5' } })).toEqual({
    hugepageLimits: [{ pageSize: '2MB', limit: 4 }],
    unified: { 'memory.high': '5' },
  });
});

const sysctls = (values: Record<string, string>, network: criLinux.NamespaceMode = Mode.POD, ipc: criLinux.NamespaceMode = Mode.POD) =>
  podSysctls(create(criPod.PodSandboxConfigSchema, { linux: { sysctls: values, securityContext: { namespaceOptions: { network, ipc } } } }));

test('sysctls of the pod’s own namespaces', () => {
  expect(sysctls({ 'net.ipv4.ip_forward': '1', 'kernel.sem': '1 2 3 4', 'fs.mqueue.msg_max': '5', 'net/ipv4/conf/eth0.1/forwarding': '1' })).toEqual({
    'net/ipv4/ip_forward': '1',
    'kernel/sem': '1 2 3 4',
    'fs/mqueue/msg_max': '5',
    'net/ipv4/conf/eth0.1/forwarding': '1',
  });
});

test.each([
  [{ 'net.ipv4.ip_forward': '1' }, Mode.NODE, Mode.POD, 'is not of a namespace'],
  [{ 'kernel.sem': '1' }, Mode.POD, Mode.NODE, 'is not of a namespace'],
  [{ 'kernel.panic': '1' }, Mode.POD, Mode.POD, 'is not of a namespace'],
  [{ 'kernel.sem': '1+kernel.core_pattern=x' }, Mode.POD, Mode.POD, 'invalid sysctl'],
  [{ 'net.ipv4/../../kernel/panic': '1' }, Mode.POD, Mode.POD, 'invalid sysctl'],
  [{ 'net.x': '1\n2' }, Mode.POD, Mode.POD, 'invalid sysctl'],
] as const)('sysctl %j is refused', (values, network, ipc, message) => {
  expect(() => sysctls(values, network, ipc)).toThrow(message);
});

const accounts = {
  users: [{ name: 'app', uid: 1000, gid: 100, home: '/app' }],
  groups: [{ name: 'extra', gid: 50_000, members: ['app'] }],
};
const id = (value: bigint) => ({ value });

test.each([
  [{}, '', { uid: 0, gid: 0, additionalGids: [0], home: '/' }],
  [{}, 'app', { uid: 1000, gid: 100, additionalGids: [100, 50_000], home: '/app' }],
  [{ runAsUser: id(1000n) }, 'root', { uid: 1000, gid: 100, additionalGids: [100, 50_000], home: '/app' }],
  [{ runAsUser: id(1000n), runAsGroup: id(7n) }, '', { uid: 1000, gid: 7, additionalGids: [7, 50_000], home: '/app' }],
  [{ runAsUsername: 'app', supplementalGroups: [8n] }, '', { uid: 1000, gid: 100, additionalGids: [100, 50_000, 8], home: '/app' }],
  [
    { runAsUser: id(1000n), supplementalGroups: [8n], supplementalGroupsPolicy: criLinux.SupplementalGroupsPolicy.Strict },
    '',
    { uid: 1000, gid: 100, additionalGids: [100, 8], home: '/app' },
  ],
])('whom a container runs as (%#)', (context, imageUser, expected) => {
  expect(podUser(security(context), imageUser, accounts)).toEqual(expected);
});

test('a user that cannot be is refused', () => {
  expect(() => podUser(security({ runAsGroup: id(1n) }), '', accounts)).toThrow('user group "1" is specified without user');
  expect(() => podUser(security({ runAsUser: id(-1n) }), '', accounts)).toThrow('in range 0-2147483647');
  expect(() => podUser(security({ runAsUser: id(2n ** 32n) }), '', accounts)).toThrow('in range 0-2147483647');
  expect(() => podUser(security({ runAsUsername: 'nobody' }), '', accounts)).toThrow('unable to find user nobody');
});
