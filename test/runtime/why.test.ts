/** Failures as people meet them: each names what it was about, the kernel's word, and what to do. runc's texts, which others match on, stay whole in them. */
import { expect, test } from 'bun:test';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

interface Bundle {
  readonly dir: string;
  readonly rootfs: string;
}
interface Case {
  readonly name: string;
  readonly spec?: (spec: TestSpec) => void;
  readonly files?: (bundle: Bundle) => void;
  readonly flags?: readonly string[];
  /** a failed execve is told by the process itself, in one line without the verb's words; --debug says more */
  readonly bare?: boolean;
  /** parts of the message, in order; BUNDLE stands for the bundle's directory */
  readonly says: readonly string[];
}

const init = 'unable to start container process: error during container init: ';
const args =
  (...words: string[]) =>
  (spec: TestSpec) => {
    spec.process.args = words;
  };
const mount =
  (destination: string, type: string, source: string, options: string[] = []) =>
  (spec: TestSpec) => {
    spec.mounts.push({ destination, type, source, options });
  };
const linux = (field: string, value: unknown) => (spec: TestSpec) => {
  spec.linux[field] = value;
};
const ownProcess = (field: string, value: unknown) => (spec: TestSpec) => {
  spec.process[field] = value;
};
const namespace = (type: string, path: string) => (spec: TestSpec) => {
  spec.linux.namespaces = [...spec.linux.namespaces.filter((one) => one.type !== type), { type, path }];
};
const file =
  (name: string, content: string | Uint8Array, mode = 0o755) =>
  (bundle: Bundle) =>
    writeFileSync(join(bundle.rootfs, name), content, { mode });
const link = (name: string, target: string) => (bundle: Bundle) => {
  rmSync(join(bundle.rootfs, name), { recursive: true, force: true });
  symlinkSync(target, join(bundle.rootfs, name));
};

/** An ELF header of a machine that this is not (elf.h, EM_SPARCV9). */
const foreignProgram = Buffer.alloc(64);
foreignProgram.write('\x7fELF\x02\x02\x01', 'latin1');
foreignProgram.writeUInt16BE(2, 16);
foreignProgram.writeUInt16BE(43, 18);

const cases: readonly Case[] = [
  {
    name: 'no root filesystem',
    spec: (spec) => {
      spec.root.path = 'none';
    },
    says: [init, 'invalid rootfs: ', 'BUNDLE/none: no such file or directory: root.path has to name the directory'],
  },
  {
    name: 'a file as root filesystem',
    files: ({ rootfs }) => {
      rmSync(rootfs, { recursive: true });
      writeFileSync(rootfs, '');
    },
    says: [init, 'BUNDLE/rootfs: not a directory: root.path has to name a directory'],
  },
  { name: 'no command', spec: args('nope'), says: [`${init}exec: "nope": executable file not found in $PATH: the PATH of the process is /`] },
  {
    name: 'no such file',
    spec: args('/nope'),
    says: [`${init}exec: "/nope": stat /nope: no such file or directory: process.args[0] is looked for inside of the root filesystem`],
  },
  { name: 'not executable', spec: args('/etc/passwd'), says: [`${init}exec: "/etc/passwd": permission denied: the file is not executable for the user`] },
  { name: 'a directory', spec: args('/etc'), says: [`${init}exec: "/etc": is a directory: process.args[0] has to name a file`] },
  {
    name: 'no program',
    spec: args('/x'),
    files: file('x', 'xx'),
    bare: true,
    says: [`exec /x: exec format error: the file is neither a program for this machine nor`],
  },
  { name: 'another architecture', spec: args('/x'), files: file('x', foreignProgram), bare: true, says: [`exec /x: exec format error: the file is neither`] },
  {
    name: 'no interpreter',
    spec: args('/x'),
    files: file('x', '#!/none\n'),
    bare: true,
    says: [`exec /x: no such file or directory: the file is there, but the interpreter that it names`],
  },
  {
    name: 'a mount without execution',
    spec: (spec) => {
      mount('/ne', 'tmpfs', 'tmpfs', ['noexec'])(spec);
      mount('/ne/passwd', 'bind', '/bin/busybox', ['bind', 'noexec'])(spec);
      args('/ne/passwd')(spec);
    },
    says: ['exec: "/ne/passwd": permission denied: /ne is mounted with noexec'],
  },
  {
    name: 'too many arguments',
    spec: args('true', 'x'.repeat(200_000)),
    bare: true,
    says: ['exec /', '/true: argument list too long: process.args and process.env'],
  },
  {
    name: 'a user namespace that is not there',
    spec: namespace('user', '/proc/4194304/ns/user'),
    says: ['/proc/4194304/ns/user: no such file or directory: linux.namespaces names'],
  },
  {
    name: 'a network namespace that is not there',
    spec: namespace('network', '/run/netns/none'),
    says: [`${init}open /run/netns/none: no such file or directory: linux.namespaces names this path`],
  },
  {
    name: 'a namespace of another type',
    spec: namespace('network', '/proc/self/ns/uts'),
    says: ['invalid argument: linux.namespaces names a path that is a namespace of another type'],
  },
  {
    name: 'a setting that is not there',
    spec: linux('sysctl', { 'net.ipv4.nope': '1' }),
    says: ['/proc/sys/net/ipv4/nope: no such file or directory: this kernel has no such setting'],
  },
  {
    name: 'a setting of the machine',
    spec: linux('sysctl', { 'kernel.panic': '1' }),
    says: ['linux.sysctl: sysctl "kernel.panic" is not in a separate kernel namespace'],
  },
  {
    name: 'a value that a setting does not take',
    spec: linux('sysctl', { 'net.ipv4.ip_forward': 'x' }),
    says: ['ip_forward: invalid argument: the setting does not take this value'],
  },
  {
    name: 'a long host name',
    spec: (spec) => {
      spec['hostname'] = 'x'.repeat(65);
    },
    says: [`${init}sethostname: `, 'invalid argument: a host name has at most 64 bytes'],
  },
  {
    name: 'a host name without its namespace',
    spec: (spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'uts');
    },
    says: ['hostname: unable to set hostname without a private UTS namespace'],
  },
  {
    name: 'CPUs that are not there',
    spec: (spec) => {
      spec.linux.resources['cpu'] = { cpus: '9999' };
    },
    says: ['cpuset.cpus: ', ': the '],
  },
  {
    name: 'a device on a file',
    spec: linux('devices', [{ path: '/etc/passwd', type: 'c', major: 1, minor: 3 }]),
    says: ['file exists: the image has another file there'],
  },
  { name: 'a device of no type', spec: linux('devices', [{ path: '/dev/x', type: 'z' }]), says: ['linux.devices: /dev/x has the unknown type "z"'] },
  {
    name: '/proc as a symbolic link',
    files: link('proc', '/etc'),
    says: [
      `${init}error mounting "proc" to rootfs at "/proc": `,
      'too many levels of symbolic links: the root filesystem has a symbolic link where the mount point must be',
    ],
  },
  {
    name: '/sys as a symbolic link',
    files: link('sys', '/etc'),
    says: [`${init}error mounting "sysfs" to rootfs at "/sys": `, 'the root filesystem has a symbolic link'],
  },
  {
    name: 'no source of a mount',
    spec: mount('/x', 'bind', '/nope/y', ['bind']),
    says: [`${init}error mounting "/nope/y" to rootfs at "/x": `, 'no such file or directory: the source has to be there on the host'],
  },
  {
    name: 'a file on a directory',
    spec: mount('/etc', 'bind', '/etc/hostname', ['bind']),
    says: ['not a directory: a directory can only be mounted on a directory'],
  },
  {
    name: 'a directory on a file',
    spec: mount('/etc/passwd', 'bind', '/etc', ['bind']),
    says: ['not a directory: a directory can only be mounted on a directory'],
  },
  { name: 'a mount below a file', spec: mount('/etc/passwd/x', 'tmpfs', 'tmpfs'), says: ['not a directory: a part of the mount point is a file'] },
  {
    name: 'a wrong value of an option',
    spec: mount('/x', 'tmpfs', 'tmpfs', ['size=much']),
    says: ["Bad value for 'size': invalid argument: mounts[].options has what tmpfs does not take"],
  },
  {
    name: 'an option of another filesystem',
    spec: mount('/x', 'tmpfs', 'tmpfs', ['colour=red']),
    says: ["Unknown parameter 'colour'", 'mounts[].options has what tmpfs does not take'],
  },
  { name: 'no such filesystem', spec: mount('/x', 'nopefs', 'none'), says: ['no such device: this kernel has no filesystem nopefs'] },
  {
    name: 'no layer of an overlay',
    spec: mount('/x', 'overlay', 'overlay', ['lowerdir=/none:/nothing']),
    says: ['no such file or directory: a directory that lowerdir, upperdir or workdir names'],
  },
  {
    name: 'a filesystem without id maps',
    spec: (spec) => {
      const map = [{ containerID: 0, hostID: 1000, size: 1 }];
      spec.mounts.push({ destination: '/x', type: 'bind', source: '/proc', options: ['bind'], uidMappings: map, gidMappings: map });
    },
    says: ['failed to set MOUNT_ATTR_IDMAP on /proc', 'leave the id mappings out'],
  },
  {
    name: 'an action of seccomp',
    spec: linux('seccomp', { defaultAction: 'SCMP_ACT_NOPE' }),
    says: ['string SCMP_ACT_NOPE is not a valid action for seccomp'],
  },
  { name: 'a flag of seccomp', spec: linux('seccomp', { defaultAction: 'SCMP_ACT_ERRNO', flags: ['X'] }), says: ['seccomp flag X is not known to runc'] },
  {
    name: 'an architecture of seccomp',
    spec: linux('seccomp', { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['x86'] }),
    says: ['string x86 is not a valid arch for seccomp'],
  },
  {
    name: 'no seccomp agent',
    spec: linux('seccomp', { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/none.sock', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }] }),
    says: ['failed to connect with seccomp agent specified in the seccomp profile: ', '/run/none.sock: no such file or directory: nobody listens there'],
  },
  {
    name: 'a limit above the kernel’s',
    spec: ownProcess('rlimits', [{ type: 'RLIMIT_NOFILE', soft: 2n ** 40n, hard: 2n ** 40n }]),
    says: [`${init}error setting rlimit type 7: `, 'operation not permitted: a hard limit is raised by CAP_SYS_RESOURCE alone'],
  },
  { name: 'an unknown limit', spec: ownProcess('rlimits', [{ type: 'RLIMIT_X', soft: 1, hard: 1 }]), says: ['process.rlimits: unknown limit "RLIMIT_X"'] },
  { name: 'a score out of its range', spec: ownProcess('oomScoreAdj', -2000), says: ['process.oomScoreAdj: -2000 is outside of -1000–1000'] },
  {
    name: 'no console socket',
    spec: ownProcess('terminal', true),
    flags: ['--detach', '--console-socket', '/run/none.sock'],
    says: ['console socket: connect to /run/none.sock: no such file or directory: nobody listens there'],
  },
  {
    name: 'a terminal for nobody',
    spec: ownProcess('terminal', true),
    flags: ['--detach'],
    says: ['cannot allocate tty if runc will detach without setting console socket'],
  },
  {
    name: 'no directory of the pid file',
    flags: ['--pid-file', '/nope/pid'],
    says: ['open /nope/pid: no such file or directory: the directory of --pid-file has to be there'],
  },
  {
    name: 'no configuration',
    files: ({ dir }) => rmSync(join(dir, 'config.json')),
    says: ['JSON specification file config.json not found: it is looked for in BUNDLE'],
  },
  {
    name: 'a configuration that is not JSON',
    files: ({ dir }) => writeFileSync(join(dir, 'config.json'), '{\n  "ociVersion": "1.0.0",\n  "process": {,}\n}'),
    says: ['config.json is not valid JSON: line 3, column 15: '],
  },
  {
    name: 'a field of another type',
    spec: (spec) => {
      for (const one of spec.mounts.slice(0, 1)) one['options'] = 'ro' as unknown as string[];
    },
    says: ['mounts[0].options: must be a list'],
  },
  {
    name: 'a file as working directory',
    spec: ownProcess('cwd', '/etc/passwd'),
    says: [`${init}mkdir /etc/passwd: not a directory: a part of the path is a file`],
  },
  { name: 'a relative working directory', spec: ownProcess('cwd', 'x'), says: ['process.cwd: Cwd must be an absolute path'] },
  {
    name: 'a priority that no policy has',
    spec: ownProcess('scheduler', { policy: 'SCHED_FIFO', priority: 200 }),
    says: ['scheduler policy 1: invalid argument: the policy does not take this'],
  },
  {
    name: 'a user outside of the id map',
    spec: (spec) => {
      const map = [{ containerID: 0, hostID: 0, size: 1 }];
      spec.linux.namespaces.push({ type: 'user' });
      spec.linux['uidMappings'] = map;
      spec.linux['gidMappings'] = map;
      spec.mounts = spec.mounts.filter(({ type }) => type === 'proc');
      spec.process['user'] = { uid: 7, gid: 0 };
    },
    says: ['invalid argument: the id is not mapped in the user namespace'],
  },
];

for (const { name, spec, files, flags = [], bare = false, says } of cases)
  test(name, async () => {
    const bundle = runtime.current.bundle((one) => {
      one.process.args = ['true'];
      spec?.(one);
    });
    files?.(bundle);
    const { code, stderr } = await runtime.current.runtime([...(bare ? ['--debug'] : []), 'run', '--bundle', bundle.dir, ...flags, 'why']);
    const message = stderr.replaceAll('\\"', '"');
    expect(code).toBe(1);
    let from = 0;
    for (const part of [...(bare ? [] : ['runc run failed: ']), ...says]) {
      const text = part.replace('BUNDLE', bundle.dir);
      const at = message.indexOf(text, from);
      expect(at < 0 ? `${text}\n  is not in\n${message.slice(from)}` : '').toBe('');
      from = at + text.length;
    }
  });

test('an id in use', async () => {
  await using container = await runtime.current.create();
  const { stderr } = await runtime.current.runtime(['create', '--bundle', container.bundle.dir, container.id]);
  expect(stderr).toContain(`container with given ID already exists: take another, or remove it with \`strake-runc delete ${container.id}\``);
});

test('a memory limit that is too low for the first process itself', async () => {
  const { code, stderr } = await runtime.current.run((spec) => {
    spec.linux.resources['memory'] = { limit: 4096 };
  });
  expect(code).toBe(1);
  expect(stderr).toContain('container init was OOM-killed (memory limit too low?): raise linux.resources.memory.limit');
});
