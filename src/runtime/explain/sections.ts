import type { Op } from '../../kernel/index.ts';

export interface Section {
  readonly title: string;
  readonly operations: readonly { readonly index: number; readonly op: Op }[];
}

type Rule = readonly [title: string, belongs: (op: Op) => boolean];

const named = (...names: readonly Op['op'][]) => new Set<string>(names);
const mounts = named(
  'propagation',
  'overlay',
  'mount_fs',
  'mount_bind',
  'mount_setattr',
  'mount_cgroup_v1',
  'pivot_root',
  'move_root',
  'chroot',
  'umount',
  'copy_up',
);
const nodes = named('mknod_in', 'symlink_in', 'mkdir_in', 'mask_path', 'readonly_path');
const limits = named('rlimit', 'oom_score_adj', 'scheduler', 'ioprio', 'affinity', 'label', 'personality', 'mempolicy');
const identity = named('umask', 'bounding', 'set_user', 'capset', 'ambient', 'no_new_privs', 'seccomp', 'learn', 'chdir', 'close_fds', 'pdeathsig', 'home');
const start = named('lookup_exec', 'wait_start', 'exec', 'reaper');
const made = named('clone', 'unshare', 'join', 'id_map', 'id_map_helper', 'time_offsets', 'pidfd_open', 'setsid', 'keyring', 'userns', 'send_pidfd');
const isCgroup = (op: Op) =>
  op.op.startsWith('cgroup_') || (('path' in op && typeof op.path === 'string' ? op.path : '').startsWith('/sys/fs/cgroup') && op.op !== 'open');

/** The first that holds; what none holds for stays in the section before it. */
const rules: readonly Rule[] = [
  ['limits of the cgroup', isCgroup],
  ['processes and namespaces', (op) => made.has(op.op)],
  ['network', (op) => op.op === 'netlink' || op.op === 'lo_up'],
  ['root filesystem and mounts', (op) => mounts.has(op.op)],
  ['devices, links and hidden paths', (op) => nodes.has(op.op)],
  ['names and kernel parameters', (op) => ['sethostname', 'setdomainname', 'sysctl'].includes(op.op)],
  ['terminal', (op) => op.op === 'terminal'],
  ['limits and labels of the process', (op) => limits.has(op.op)],
  ['hooks', (op) => op.op === 'hook'],
  ['user and privileges', (op) => identity.has(op.op)],
  ['start', (op) => start.has(op.op)],
];

/** A program in pieces of one purpose each, in its order: a purpose that comes back is a piece of its own. What follows the wait for the end is the cleanup. */
export function sectionsOf(operations: readonly Op[]): readonly Section[] {
  const sections: { title: string; operations: { index: number; op: Op }[] }[] = [];
  let ended = false;
  for (const [index, op] of operations.entries()) {
    const title = ended ? 'cleanup' : (rules.find(([, belongs]) => belongs(op))?.[0] ?? sections.at(-1)?.title ?? 'preparation');
    ended ||= op.op === 'reap' || op.op === 'detach';
    const last = sections.at(-1);
    if (last?.title === title) last.operations.push({ index, op });
    else sections.push({ title, operations: [{ index, op }] });
  }
  return sections;
}
