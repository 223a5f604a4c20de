import type { Op } from '../program/index.ts';

/** What is known of a failed program. */
export interface Failure {
  readonly op: Op | undefined;
  /** `ENOENT` */
  readonly errno: string;
  /** what strake-init said: the object, and sometimes the reason */
  readonly detail: string;
  readonly operations: readonly Op[];
}

type Named<Name extends Op['op']> = Extract<Op, { readonly op: Name }>;
type Why<Name extends Op['op']> = string | ((op: Named<Name>, failure: Failure) => string | undefined);
/** By errno; `*` for all others. */
type Remedies = { readonly [Name in Op['op']]?: Readonly<Record<string, Why<Name>>> };

const notWritable = 'the cgroup hierarchy is not writable for this user: run as root, or have the cgroup delegated';
const unreadableSocket = 'nobody listens there: its server has to be started before the container';
const memberOfCpuset = 'the cpuset of the cgroup has no CPU or memory node: set cpus and mems in linux.resources.cpu';

/** Why an operation fails with an errno, and what to do about it: what the kernel's manual pages say of the case, in the words of the configuration. */
const remedies: Remedies = {
  lookup_exec: {
    ENOENT: (op) =>
      op.file.includes('/')
        ? 'process.args[0] is looked for inside of the root filesystem, which has no such file'
        : `the PATH of the process is ${pathOf(op.env)}: name the file with its directory, or set PATH in process.env`,
    EACCES: (op, failure) => {
      const mount = noexecMount(op.file, failure.operations);
      return mount === undefined ? 'the file is not executable for the user of the process (chmod +x)' : `${mount} is mounted with noexec`;
    },
    EISDIR: 'process.args[0] has to name a file',
  },
  exec: {
    ENOEXEC: 'the file is neither a program for this machine nor a script that begins with #!',
    ENOENT: 'the file is there, but the interpreter that it names (after #!, or its dynamic loader) is not in the root filesystem',
    EACCES: 'the file or the interpreter that it names is not executable, or is on a mount with noexec',
    E2BIG: 'process.args and process.env together are longer than the kernel takes',
    ETXTBSY: 'somebody has the file open for writing',
  },
  mount_fs: {
    ENODEV: (op) => `this kernel has no filesystem ${op.fstype}: it is not built in, and no module of it is loaded`,
    EINVAL: (op, { detail }) =>
      /Unknown parameter|Bad value|Invalid/i.test(detail)
        ? `mounts[].options has what ${op.fstype} does not take`
        : `${op.fstype} does not take the source or these options (mounts[].options)`,
    ENOENT: (op, { detail }) =>
      detail.includes('overlay')
        ? 'a directory that lowerdir, upperdir or workdir names is missing on the host'
        : `the source that ${op.fstype} needs is missing`,
    ENOTDIR: 'a part of the mount point is a file in the root filesystem',
    ELOOP: 'the root filesystem has a symbolic link where the mount point must be: make it a directory in the image',
    EPERM:
      'the kernel refuses this mount: in a user namespace only some filesystems may be mounted, and /proc and /sys only where they are wholly visible outside',
    EBUSY: 'the source is in use by another mount (an overlay takes its upperdir and workdir for itself)',
    EROFS: 'the mount point cannot be made on a read-only filesystem: make it in the image, or mount below it first',
  },
  mount_bind: {
    ENOENT: (op) =>
      op.root === undefined && op.source === op.target
        ? 'root.path has to name the directory of the root filesystem'
        : 'the source has to be there on the host before the container is made',
    ENOTDIR: 'a directory can only be mounted on a directory, and a file on a file',
    ELOOP: 'the path leads through a symbolic link that may not be followed',
    EPERM: 'the mount is locked: it came from a more privileged mount namespace, whose flags (ro, nosuid, nodev, noexec) must stay',
    EACCES: 'a directory on the way to the source may not be searched by this user',
    EROFS: 'the mount point cannot be made on a read-only filesystem: make it in the image',
  },
  overlay: {
    ENOENT: 'a layer of the root filesystem is missing',
    EINVAL: 'a layer cannot be part of an overlay: its filesystem may be one itself, or lack extended attributes',
    ENODEV: 'this kernel has no overlayfs',
    EBUSY: 'another mount uses the same upper or work directory',
    EPERM: 'overlayfs in a user namespace needs Linux 5.11',
  },
  open: {
    ENOENT: (op, failure) => (namespaceSlot(op, failure) ? 'linux.namespaces names this path: the namespace has ended, or was never made' : undefined),
    ENOTDIR: (op, { operations }) =>
      operations.some((other) => other.op === 'mount_bind' && other.target === op.path) ? 'root.path has to name a directory' : undefined,
    EEXIST: 'the file is there already',
  },
  join: {
    EINVAL: 'linux.namespaces names a path that is a namespace of another type, or no namespace',
    EPERM: 'joining it needs CAP_SYS_ADMIN in the user namespace that owns it',
  },
  clone: {
    EPERM: 'this user may not make these namespaces: without root a user namespace has to be among them, and the machine has to allow those',
    EINVAL: 'this kernel was built without one of the namespace types',
    ENOSPC: 'the limit of namespaces is reached (/proc/sys/user/max_*_namespaces)',
    EUSERS: 'user namespaces are nested too deeply',
    EAGAIN: 'the limit of processes is reached (pids.max of the cgroup, RLIMIT_NPROC, kernel.pid_max)',
    EBUSY: 'the cgroup has child cgroups with controllers, so that no process may be in it',
    EACCES: notWritable,
  },
  id_map: {
    EPERM: 'these ids are not this user’s to map: see /etc/subuid and /etc/subgid',
    EINVAL: 'the ranges overlap, are empty, or are more than 340',
  },
  sysctl: {
    ENOENT: 'this kernel has no such setting (or the module that brings it is not loaded)',
    EINVAL: 'the setting does not take this value',
    EACCES: 'the setting may not be written from this user namespace',
    EPERM: 'the setting may not be written from this user namespace',
  },
  sethostname: { EINVAL: 'a host name has at most 64 bytes', EPERM: 'the UTS namespace belongs to another user namespace' },
  setdomainname: { EINVAL: 'a domain name has at most 64 bytes', EPERM: 'the UTS namespace belongs to another user namespace' },
  write_file: {
    ENOENT: (op) => (isCgroup(op.path) ? 'the kernel or the machine lacks this cgroup controller, or it is not enabled for this part of the tree' : undefined),
    EINVAL: (op) => (isCgroup(op.path) ? 'the controller does not take this value: see linux.resources' : undefined),
    ERANGE: (op) => (isCgroup(op.path) ? 'the machine does not have all that the value names' : undefined),
    EBUSY: (op) => (isCgroup(op.path) ? 'the cgroup uses more than this already' : undefined),
    EACCES: (op) => (isCgroup(op.path) ? notWritable : undefined),
    EPERM: (op) => (isCgroup(op.path) ? notWritable : undefined),
    EROFS: (op) => (isCgroup(op.path) ? 'the cgroup filesystem is mounted read-only' : undefined),
    ENODEV: (op) => (isCgroup(op.path) ? 'the device of the limit is not there' : undefined),
    ENOSPC: (op) => (isCgroup(op.path) ? memberOfCpuset : undefined),
  },
  mkdir: {
    EACCES: (op) => (isCgroup(op.path) ? notWritable : undefined),
    EPERM: (op) => (isCgroup(op.path) ? notWritable : undefined),
    EROFS: (op) => (isCgroup(op.path) ? 'the cgroup filesystem is mounted read-only' : undefined),
    ENOSPC: (op) => (isCgroup(op.path) ? 'the limit of cgroups is reached (cgroup.max.descendants)' : undefined),
  },
  cgroup_attach: { ENOSPC: memberOfCpuset, EBUSY: 'the cgroup has child cgroups with controllers', EACCES: notWritable, EPERM: notWritable },
  cgroup_device: { EPERM: 'attaching device rules needs CAP_BPF, or CAP_SYS_ADMIN', EINVAL: 'this kernel lacks BPF for cgroups (CONFIG_CGROUP_BPF)' },
  mknod_in: {
    EEXIST: 'the image has another file there: take it away, or give the device another path in linux.devices',
    EPERM: 'making devices needs CAP_MKNOD in the first user namespace',
    ENOTDIR: 'a part of the path is a file in the root filesystem',
  },
  terminal: {
    ENOENT: 'a terminal needs devpts mounted at /dev/pts (mounts)',
    ENODEV: 'a terminal needs devpts mounted at /dev/pts (mounts)',
    ENOSPC: 'no pseudo terminal is free (kernel.pty.max, or max= of devpts)',
  },
  connect_unix: {
    ENOENT: unreadableSocket,
    ECONNREFUSED: unreadableSocket,
    EACCES: 'this user may not connect to the socket',
    ENAMETOOLONG: 'the path of a socket has at most 107 bytes',
  },
  rlimit: {
    EPERM: 'a hard limit is raised by CAP_SYS_RESOURCE alone, and RLIMIT_NOFILE never above fs.nr_open',
    EINVAL: 'the soft limit is above the hard one',
  },
  oom_score_adj: { EACCES: 'lowering process.oomScoreAdj needs CAP_SYS_RESOURCE', EPERM: 'lowering process.oomScoreAdj needs CAP_SYS_RESOURCE' },
  scheduler: {
    EINVAL:
      'the policy does not take this: SCHED_FIFO and SCHED_RR want a priority of 1 to 99, SCHED_DEADLINE runtime ≤ deadline ≤ period, the others priority 0',
    EPERM: 'this policy needs CAP_SYS_NICE, and in a cgroup with a CPU controller of its own realtime budget (cpu.rt_runtime_us)',
    EBUSY: 'the CPUs have no room for this SCHED_DEADLINE budget',
  },
  ioprio: { EPERM: 'IOPRIO_CLASS_RT needs CAP_SYS_ADMIN or CAP_SYS_NICE', EINVAL: 'the priority of an I/O class is 0 to 7' },
  affinity: { EINVAL: 'none of these CPUs is online and in the cpuset of the container' },
  set_user: {
    EINVAL: 'the id is not mapped in the user namespace: see linux.uidMappings and linux.gidMappings',
    EPERM: 'supplementary groups are denied in a user namespace of an ordinary user',
    EAGAIN: 'the user has reached RLIMIT_NPROC',
  },
  capset: { EPERM: 'the runtime itself lacks one of these capabilities' },
  ambient: { EPERM: 'an ambient capability has to be permitted and inheritable' },
  seccomp: {
    EACCES: 'loading a filter needs CAP_SYS_ADMIN, or process.noNewPrivileges',
    EINVAL: 'this kernel does not know one of linux.seccomp.flags, or was built without filters',
    EBUSY: 'a process has one listener for notifications, and this one has it already',
    EPIPE: 'the seccomp agent has closed its connection',
  },
  learn: {
    EINVAL: '--learn needs Linux 5.19',
    EBUSY: 'a process has one listener for notifications, and this one has it already',
    EACCES: 'loading a filter needs CAP_SYS_ADMIN, or process.noNewPrivileges',
  },
  keyring: { EDQUOT: 'the user has too many keys (kernel.keys.maxkeys): raise it, or use --no-new-keyring' },
  label: {
    ENOENT: 'the profile is not loaded: load it with apparmor_parser -r FILE',
    EINVAL: 'the security module does not know this label',
    EACCES: 'the security module does not allow the change to this label',
  },
  pivot_root: { EINVAL: 'the root is on the initial ramdisk, or its mount is shared: --no-pivot does without pivot_root' },
  chdir: {
    ENOENT: 'process.cwd is not in the root filesystem',
    ENOTDIR: 'process.cwd is a file',
    EACCES: 'the user of the process may not enter process.cwd',
    ELOOP: 'it leads through a link of /proc',
  },
  mkdir_in: { ENOTDIR: 'a part of the path is a file in the root filesystem', EROFS: 'the root filesystem is read-only: make the directory in the image' },
  pidfd_open: { ESRCH: 'the container has ended meanwhile' },
  personality: { EINVAL: 'this kernel does not have the execution domain' },
  time_offsets: {
    ERANGE: 'a clock of the container would be before its start, or too far in the future',
    EACCES: 'offsets are set before the first process enters the namespace',
  },
  reap: {
    EPIPE: (_op, { detail }) =>
      detail.includes('killed') ? 'raise linux.resources.memory.limit; the kernel’s log says whose memory it was (dmesg)' : undefined,
  },
};

/** Undefined for what explains itself, or is not known. */
export function remedyFor(failure: Failure): string | undefined {
  const { op, errno } = failure;
  if (op === undefined) return undefined;
  const why = (remedies[op.op] as Readonly<Record<string, Why<never>>> | undefined)?.[errno];
  return typeof why === 'function' ? (why as (op: Op, failure: Failure) => string | undefined)(op, failure) : why;
}

function pathOf(env: readonly string[]): string {
  return env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? 'not set';
}

/** MOUNT_ATTR_NOEXEC (linux/mount.h) */
const noexec = 8n;

/** The last mount of the program above `file`, when it is one without execution. */
function noexecMount(file: string, operations: readonly Op[]): string | undefined {
  const mounts = operations.flatMap((op) => {
    if (op.op === 'mount_fs') return [{ target: op.target, attrs: BigInt(op.attrs ?? 0) }];
    return op.op === 'mount_bind' ? [{ target: op.target, attrs: BigInt(op.set ?? 0) | BigInt(op.recSet ?? 0) }] : [];
  });
  const above = mounts.filter(({ target }) => file.startsWith(`${target}/`)).sort((a, b) => a.target.length - b.target.length);
  const last = above.at(-1);
  return last !== undefined && (last.attrs & noexec) !== 0n ? last.target : undefined;
}

function namespaceSlot(op: Named<'open'>, { operations }: Failure): boolean {
  return operations.some((other) => other.op === 'join' && other.fd === op.out);
}

function isCgroup(path: string): boolean {
  return path.includes('/cgroup/') || path.startsWith('/sys/fs/cgroup');
}
