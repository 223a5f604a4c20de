import { formatOp, type Op } from '../../kernel/index.ts';
import { capabilityNames, cloneFlags, mountAttr, rlimitNumbers } from '../compile/linux-numbers.ts';

type Named<Name extends Op['op']> = Extract<Op, { readonly op: Name }>;
type Descriptions = { readonly [Name in Op['op']]?: string | ((op: Named<Name>) => string) };

/** What an operation does, in the words of somebody who wants to know. */
const descriptions: Descriptions = {
  open: (op) => `open ${op.path}, for a later step`,
  close: 'close a descriptor that is not needed any more',
  output_fifo: (op) => `pass what the process says on to ${op.path}`,
  output_file: (op) => `append what the process says to ${op.path}`,
  input_fifo: (op) => `give the process what comes from ${op.path}`,
  output_program: (op) => `start the logging program ${op.argv[0] ?? ''}`,
  oci_runtime: (op) => `have ${op.path} make the first process`,
  connect_unix: (op) => `connect to the socket ${op.path}`,
  unshare: (op) => `leave for new namespaces: ${namespaces(op.flags)}`,
  join: (op) => `enter namespaces that are there: ${namespaces(op.flags)}`,
  clone: (op) =>
    [
      `start the first process of the container`,
      Number(op.flags ?? 0) === 0 ? '' : ` in new namespaces: ${namespaces(op.flags)}`,
      op.cgroup === undefined ? '' : ', inside its cgroup',
    ].join(''),
  id_map: (op) => `map the ${['user', 'group', 'setgroups'][op.kind] ?? ''} ids of the user namespace`,
  id_map_helper: 'map the ids of the user namespace by newuidmap and newgidmap',
  time_offsets: 'set the clocks of the time namespace',
  pidfd_open: (op) => `take hold of process ${op.pid}, checked against reuse of its number`,
  end_process: (op) => `make sure that process ${op.pid} has ended`,
  mkdir: (op) => `make the directory ${op.path}`,
  write_file: (op) => `write ${text(op.data)} to ${op.path}`,
  rmdir: (op) => `remove the directory ${op.path}`,
  remove_dir: (op) => `remove ${op.path} and all below it`,
  unlink: (op) => `remove ${op.path}`,
  cgroup_attach: (op) => `put the first process into the cgroup ${op.dir}`,
  cgroup_kill: (op) => `kill what is left in the cgroup ${op.dir}`,
  cgroup_device: (op) => `let the cgroup ${op.dir} use only the devices that are allowed`,
  netlink: 'change the network, by netlink',
  propagation: (op) => `keep mounts below ${op.path} from the host’s`,
  overlay: (op) => `mount the layers of the root filesystem on ${op.target}`,
  mount_fs: (op) => `mount a ${op.fstype} on ${op.target}${flags(op.attrs)}`,
  mount_bind: (op) =>
    op.root === undefined && op.source === op.target
      ? `make ${op.target} a mount of its own`
      : `mount ${op.source} of the host on ${op.target}${flags(op.set)}`,
  mount_setattr: (op) => `change the mount on ${op.target}${flags(op.set)}`,
  mount_cgroup_v1: (op) => `show the container its cgroups at ${op.target}`,
  pivot_root: 'make the root filesystem the root, and let go of the host’s',
  move_root: 'move the root filesystem over the root (without pivot_root)',
  chroot: 'enter the root filesystem',
  umount: (op) => `unmount ${op.path}`,
  mask_path: (op) => `hide ${op.path}`,
  readonly_path: (op) => `make ${op.path} read-only`,
  mkdir_in: (op) => `make the directory ${op.path} in the container`,
  mknod_in: (op) => `make the device or FIFO ${op.path}`,
  symlink_in: (op) => `make the link ${op.path} to ${op.target}`,
  copy_up: (op) => `fill ${op.dest} with what the image has at ${op.target}`,
  sethostname: (op) => `set the host name to ${op.name}`,
  setdomainname: (op) => `set the domain name to ${op.name}`,
  sysctl: (op) => `set the kernel parameter ${op.key} to ${op.value}`,
  lo_up: 'bring the loopback interface up',
  rlimit: (op) =>
    `limit ${Object.entries(rlimitNumbers).find(([, number]) => number === op.resource)?.[0] ?? op.resource} to ${limit(op.soft)}, at most ${limit(op.hard)}`,
  oom_score_adj: (op) => `set how soon it is killed when memory runs out: ${op.value}`,
  setsid: 'begin a session of its own',
  terminal: 'make the terminal, and give its other end away',
  umask: (op) => `files are made without the permissions ${op.mask.toString(8).padStart(3, '0')}`,
  personality: 'set the execution domain',
  bounding: (op) => `never have more capabilities than: ${capabilities(op.keep)}`,
  set_user: (op) => `become user ${op.uid} and group ${op.gid}`,
  capset: (op) => `have the capabilities: ${capabilities(op.permitted)}`,
  ambient: (op) => `pass on to programs of an ordinary user: ${capabilities(op.mask)}`,
  no_new_privs: 'never gain privileges by a program that is executed',
  seccomp: (op) =>
    `allow only the system calls of the filter (${op.filter.length / 8} instructions)${op.listener === undefined ? '' : ', and tell the agent of it'}`,
  learn: 'have every system call written down',
  chdir: (op) => `work in ${op.path}`,
  label: (op) => `run under the label ${op.value}`,
  close_fds: (op) => `close all descriptors from ${op.first} on`,
  pdeathsig: 'die with the monitor',
  lookup_exec: (op) => `look for the program ${op.file}`,
  wait_start: 'the container is created: wait for its start',
  exec: (op) => `become the program: ${op.argv.join(' ')}`,
  keyring: 'have a session keyring of its own',
  scheduler: 'set how its CPU time is scheduled',
  ioprio: 'set the priority of its I/O',
  affinity: 'choose the CPUs to run on',
  reaper: 'stay as process 1, which reaps the others',
  hook: (op) => `run the ${op.name}: ${op.path}`,
  monitor: (op) => `become the monitor, reachable in ${op.dir}`,
  reap: 'wait until the first process has ended',
  detach: 'leave the first process to itself',
};

/** A sentence for a person; the operation itself where there is none. */
export function describeOp(op: Op): string {
  const description = descriptions[op.op] as string | ((op: Op) => string) | undefined;
  return typeof description === 'function' ? description(op) : (description ?? formatOp(op));
}

function namespaces(bits: number | bigint | undefined): string {
  const names = Object.entries(cloneFlags).filter(([, bit]) => (BigInt(bits ?? 0) & BigInt(bit)) !== 0n);
  return names.length === 0 ? 'none' : names.map(([name]) => name).join(', ');
}

function capabilities(mask: number | bigint): string {
  const names = capabilityNames.filter((_name, index) => ((BigInt(mask) >> BigInt(index)) & 1n) !== 0n);
  if (names.length === 0) return 'none';
  return names.length === capabilityNames.length ? 'all' : names.join(', ');
}

function flags(attrs: number | bigint | undefined): string {
  const names = Object.entries(mountAttr).filter(([, bit]) => BigInt(bit) !== 0n && (BigInt(attrs ?? 0) & BigInt(bit)) === BigInt(bit));
  return names.length === 0 ? '' : `, ${names.map(([name]) => name).join(', ')}`;
}

function limit(value: number | bigint): string {
  return BigInt(value) === 2n ** 64n - 1n ? 'no limit' : String(value);
}

function text(data: Uint8Array): string {
  const words = Buffer.from(data).toString('latin1').trim();
  return /^[\x20-\x7e]{0,60}$/.test(words) ? `"${words}"` : `${data.length} bytes`;
}
