import { describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatProgram, type Op } from '../../src/kernel/index.ts';
import type { Namespace, RuntimeSpec } from '../../src/oci/index.ts';
import { type CgroupPlan, type CreateOptions, compileCreate, compileExec, defaultSpec, type ExecOptions, type Machine } from '../../src/runtime/index.ts';

/** UPDATE_GOLDEN=1 writes the files anew; read the difference before committing it. */
const update = process.env['UPDATE_GOLDEN'] === '1';

const machine: Machine = {
  boundingSet: (1n << 41n) - 1n,
  arch: 'x86_64',
  apparmor: false,
  selinux: false,
  kcore: true,
  allCapabilities: (1n << 41n) - 1n,
  inUserNamespace: false,
};
const host = (...operations: readonly Op[]) => operations;
const v2: CgroupPlan = {
  v1: [],
  v1Links: [],
  v2: '/sys/fs/cgroup/strake/c1',
  create: host({ op: 'mkdir', side: 'host', path: '/sys/fs/cgroup/strake/c1', mode: 0o755 }),
  initAttach: [],
  cleanup: host({ op: 'rmdir', side: 'host', path: '/sys/fs/cgroup/strake/c1', timeoutMs: 5000 }),
  oomFile: '/sys/fs/cgroup/strake/c1/memory.events',
};
const hybrid: CgroupPlan = {
  v1: [
    { name: 'cpu,cpuacct', dir: '/sys/fs/cgroup/cpu,cpuacct/strake/c1' },
    { name: 'memory', dir: '/sys/fs/cgroup/memory/strake/c1' },
  ],
  v1Links: [
    ['cpu', 'cpu,cpuacct'],
    ['cpuacct', 'cpu,cpuacct'],
  ],
  v2: '/sys/fs/cgroup/unified/strake/c1',
  create: host({ op: 'mkdir', side: 'host', path: '/sys/fs/cgroup/memory/strake/c1', mode: 0o755 }),
  initAttach: [{ op: 'write_file', side: 'init', path: '/sys/fs/cgroup/memory/strake/c1/tasks', data: Buffer.from('0') }],
  cleanup: host({ op: 'rmdir', side: 'host', path: '/sys/fs/cgroup/memory/strake/c1', timeoutMs: 5000 }),
  oomFile: '/sys/fs/cgroup/memory/strake/c1/memory.oom_control',
};
const commandLine: CreateOptions = {
  id: 'c1',
  bundle: '/bundle',
  rootfs: { type: 'directory', path: 'rootfs' },
  stdio: { kind: 'inherit', consoleSocket: '/run/console.sock' },
  start: { kind: 'fifo', path: '/run/strake-runc/c1/exec.fifo' },
  detach: true,
  machine,
  cgroup: v2,
};
const daemon: CreateOptions = {
  ...commandLine,
  rootfs: { type: 'overlay', lowers: ['/snapshots/2/fs', '/snapshots/1/fs'], upper: '/snapshots/3/fs', work: '/snapshots/3/work', readonly: false },
  mountpoint: '/run/strake/tasks/c1/rootfs',
  stdio: {
    kind: 'monitor',
    dir: '/run/strake/tasks/c1',
    terminal: false,
    openStdin: true,
    stdinOnce: true,
    log: { path: '/var/lib/strake/c1-json.log', driver: 'json-file', maxSizeBytes: 1 << 20, maxFiles: 3 },
  },
  start: { kind: 'connection' },
  detach: false,
  cgroup: hybrid,
};

const base = defaultSpec();
const all: RuntimeSpec = {
  ...base,
  hostname: 'h1',
  domainname: 'd1',
  process: {
    ...base.process,
    cwd: '/work',
    args: ['printenv', 'A'],
    env: ['PATH=/bin', 'A=b', 'HOME=/home/u'],
    user: { uid: 1000, gid: 1001, umask: 0o077, additionalGids: [1001, 27] },
    terminal: false,
    noNewPrivileges: false,
    oomScoreAdj: 100,
    rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n }],
    scheduler: { policy: 'SCHED_BATCH', nice: 5 },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 },
    capabilities: {
      bounding: ['CAP_CHOWN', 'CAP_NET_RAW'],
      effective: ['CAP_NET_RAW'],
      permitted: ['CAP_CHOWN', 'CAP_NET_RAW'],
      inheritable: ['CAP_NET_RAW'],
      ambient: ['CAP_NET_RAW'],
    },
  },
  mounts: [
    ...(base.mounts ?? []),
    { destination: '/data', type: 'bind', source: '/srv/data', options: ['rbind', 'ro', 'rslave'] },
    { destination: '/etc/hosts', source: 'hosts', options: ['bind', 'rprivate', 'noexec'] },
    { destination: 'scratch', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'noatime', 'rro'] },
  ],
  linux: {
    ...base.linux,
    sysctl: { 'net.ipv4.ip_forward': '1', 'net/ipv4/conf/eth0.1/forwarding': '1' },
    devices: [
      { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o660, uid: 0, gid: 44 },
      { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o600 },
    ],
    personality: { domain: 'LINUX32' },
    rootfsPropagation: 'rprivate',
  },
};
const withNamespaces = (namespaces: readonly Namespace[], linux: RuntimeSpec['linux'] = {}): RuntimeSpec => ({
  ...base,
  hostname: '',
  mounts: (base.mounts ?? []).slice(0, 1),
  linux: { ...linux, namespaces },
});

const ordinary: Machine = {
  ...machine,
  ordinaryUser: { uid: 1000, gid: 1000, newuidmap: '/usr/bin/newuidmap', newgidmap: '/usr/bin/newgidmap' },
};
const noCgroup: CgroupPlan = {
  ...v2,
  v2: undefined,
  create: [],
  cleanup: [],
  oomFile: '',
  inherited: { v1: [{ name: 'memory', dir: '/sys/fs/cgroup/memory/user' }], v2: undefined },
};
const rootless: RuntimeSpec = withNamespaces([{ type: 'user' }, { type: 'mount' }, { type: 'pid' }, { type: 'time' }], {
  uidMappings: [
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100000, size: 65536 },
  ],
  gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
  timeOffsets: { boottime: { secs: 86400 } },
});

const programs: readonly (readonly [string, readonly Op[]])[] = [
  ['create-default-console', compileCreate(base, commandLine)],
  ['create-daemon-all-fields', compileCreate(all, daemon)],
  [
    'create-user-namespace',
    compileCreate(
      withNamespaces([{ type: 'user' }, { type: 'mount' }, { type: 'pid' }, { type: 'time' }], {
        uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        timeOffsets: { boottime: { secs: 86400 }, monotonic: { secs: -5, nanosecs: 7 } },
      }),
      { ...commandLine, start: { kind: 'at-once' }, detach: false },
    ),
  ],
  ['create-rootless', compileCreate(rootless, { ...commandLine, machine: ordinary, cgroup: noCgroup })],
  [
    'exec-rootless',
    compileExec(rootless, { cwd: '/', args: ['id'], oomScoreAdj: 50 }, { ...execOptions({ kind: 'inherit' }), machine: ordinary, cgroup: noCgroup }),
  ],
  [
    'create-joined-namespaces',
    compileCreate(
      withNamespaces([
        { type: 'mount' },
        { type: 'pid', path: '/proc/7/ns/pid' },
        { type: 'network', path: '/run/netns/n' },
        { type: 'ipc', path: '/proc/7/ns/ipc' },
      ]),
      { ...commandLine, noPivot: true, noNewKeyring: true },
    ),
  ],
  ['create-seccomp', compileCreate(filtered('SCMP_ACT_ERRNO'), commandLine)],
  ['create-seccomp-agent', compileCreate({ ...filtered('SCMP_ACT_NOTIFY'), annotations: { a: 'b' } }, commandLine)],
  [
    'exec-seccomp-agent',
    compileExec(filtered('SCMP_ACT_NOTIFY'), { cwd: '/', args: ['sh'], noNewPrivileges: true }, { ...execOptions({ kind: 'inherit' }), bundle: '/bundle' }),
  ],
  [
    'create-hooks',
    compileCreate(
      {
        ...withNamespaces([{ type: 'mount' }, { type: 'pid' }]),
        annotations: { key: 'a "value"' },
        hooks: {
          prestart: [{ path: '/bin/one' }],
          createRuntime: [{ path: '/bin/two', args: ['two', 'args'], env: ['A=B'], timeout: 3 }, { path: '/bin/three' }],
          createContainer: [{ path: '/bin/four' }],
          startContainer: [{ path: '/bin/five' }],
          poststart: [{ path: '/bin/six' }],
          poststop: [{ path: '/bin/seven' }],
        },
      },
      {
        ...commandLine,
        start: { kind: 'at-once' },
        detach: false,
        stateDirectory: '/run/strake-runc/c1',
        hookEnvironment: ['CALLER=1'],
        pidfdSocket: '/run/pidfd.sock',
      },
    ),
  ],
  [
    'create-net-devices',
    compileCreate(
      withNamespaces([{ type: 'mount' }, { type: 'user' }, { type: 'network', path: '/run/netns/n' }], {
        uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        netDevices: { eth1: {}, eth2: { name: 'lan' } },
        memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
      }),
      {
        ...commandLine,
        netDevices: [
          { index: 2, name: 'eth1', addresses: [] },
          { index: 3, name: 'eth2', addresses: [{ family: 2, prefixLength: 24, address: Buffer.from([10, 0, 0, 1]) }] },
        ],
      },
    ),
  ],
  ['exec', compileExec(all, { ...all.process, cwd: '/', args: ['id'] }, execOptions({ kind: 'inherit' }))],
  [
    'exec-monitor-terminal',
    compileExec(
      base,
      { cwd: '/', args: ['sh'], env: [] },
      {
        ...execOptions({
          kind: 'monitor',
          dir: '/run/strake/tasks/c1/execs/e1',
          terminal: true,
          openStdin: true,
          stdinOnce: true,
          consoleSize: { rows: 24, cols: 80 },
        }),
        start: { kind: 'connection' },
      },
    ),
  ],
];

/** The privileges that loading a filter needs are held up to it where no_new_privs does not do. */
function filtered(action: string): RuntimeSpec {
  const spec = withNamespaces([{ type: 'mount' }, { type: 'pid' }]);
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/agent.sock', listenerMetadata: 'm', syscalls: [{ names: ['mkdir'], action }] };
  return {
    ...spec,
    mounts: [],
    process: { cwd: '/', args: ['sh'], capabilities: { bounding: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] } },
    linux: { ...spec.linux, seccomp },
  };
}

function execOptions(stdio: ExecOptions['stdio']): ExecOptions {
  return { id: 'c1', init: { pid: 4242, startTime: 987654 }, cgroup: hybrid, stdio, start: { kind: 'at-once' }, machine };
}

describe('programs', () => {
  for (const [name, operations] of programs) {
    test(name, () => {
      const file = path.join(import.meta.dirname, `${name}.golden`);
      const text = formatProgram(operations);
      if (update) writeFileSync(file, text);
      expect(text).toBe(readFileSync(file, 'utf8'));
    });
  }
});
