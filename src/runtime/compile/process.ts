import type { Op } from '../../kernel/index.ts';
import type { LinuxSpec, ProcessSpec } from '../../oci/index.ts';
import { capabilityMasks } from './capabilities.ts';
import { processEnvironment } from './environment.ts';
import { cannotHonour, invalid } from './error.ts';
import { ioPriorityClasses, personalities, rlimitNumbers, schedulerFlags, schedulerPolicies } from './linux-numbers.ts';
import { keepGroups, setgroupsMayBeDenied } from './namespaces.ts';
import type { CreateOptions, ExecOptions, Machine } from './options.ts';
import type { SeccompPlan } from './seccomp.ts';

type Options = CreateOptions | ExecOptions;

/** runc's default when the configuration has none. */
const defaultUmask = 0o022;
const noIds = 0xffff_ffff;
const sigkill = 9;
/** Behind stdin, stdout and stderr. */
const firstDescriptor = 3;
/** chdir, field `flags`. */
const leaveDenied = 1;
const onlyDenied = 2;

/** Limits, scheduling and LSM labels, while the process still has the runtime's privileges. */
export function limitOps(process: ProcessSpec, machine: Machine): readonly Op[] {
  return [...rlimitOps(process), ...schedulerOps(process), ...ioPriorityOps(process), ...apparmorOps(process, machine)];
}

/**
 * From the runtime's identity to the process's: user, capabilities, working directory, seccomp, exec. The filter is loaded as late as possible, so that
 * the fewest calls run under it: only `capset` and `execve`. Without no_new_privs loading it needs CAP_SYS_ADMIN, which is held until then.
 * `beforeExec`: hooks of the container, which are the image's as much as its process is, and run with no more than it.
 */
export function identityOps(
  process: ProcessSpec,
  seccomp: SeccompPlan,
  options: Options,
  inUserNamespace: boolean,
  beforeExec: (env: readonly string[]) => readonly Op[] = () => [],
): readonly Op[] {
  const args = process.args ?? [];
  const file = args[0];
  if (file === undefined) throw invalid('process.args', 'args must not be empty');
  const { env, hasHome } = processEnvironment(process.env ?? []);
  const { boundingSet, allCapabilities } = options.machine;
  const masks = capabilityMasks(process.capabilities, inUserNamespace ? allCapabilities : boundingSet, options.onWarning ?? (() => {}));
  const user = process.user ?? { uid: 0, gid: 0 };
  checkIds(process);
  const groups = user.additionalGids ?? [];
  const noNewPrivileges = process.noNewPrivileges ?? false;
  const held = seccomp.filter.length > 0 && !noNewPrivileges ? sysAdmin & options.machine.boundingSet : 0n;
  const start = startOps(options);
  return [
    ...(noNewPrivileges ? [{ op: 'no_new_privs', side: 'init' } as const] : []),
    { op: 'bounding', side: 'init', keep: masks.bounding },
    // With the runtime's privileges still, as runc: a user may work in a directory that it could not enter.
    { op: 'chdir', side: 'init', path: process.cwd, uid: user.uid, gid: user.gid, ...(inUserNamespace ? { flags: leaveDenied } : {}) },
    ...(hasHome ? [] : [{ op: 'home', side: 'init', uid: process.user?.uid ?? 0 } as const]),
    { op: 'umask', side: 'init', mask: user.umask ?? defaultUmask },
    { op: 'set_user', side: 'init', uid: user.uid, gid: user.gid, groups: idBytes(groups), ...groupFlags(groups, inUserNamespace, options.machine) },
    // A directory of the user's own, whose group is not mapped, is closed even to root of a user namespace (runc).
    ...(inUserNamespace ? [{ op: 'chdir', side: 'init', path: process.cwd, uid: user.uid, gid: user.gid, flags: onlyDenied } as const] : []),
    { op: 'capset', side: 'init', effective: masks.effective | held, permitted: masks.permitted | held, inheritable: masks.inheritable },
    { op: 'ambient', side: 'init', mask: masks.ambient },
    // After the change of identity, which takes it back.
    ...deathOps(options),
    { op: 'close_fds', side: 'init', first: firstDescriptor + (options.preserveFds ?? 0) },
    { op: 'lookup_exec', side: 'init', file, env },
    // The agent is told when the container is created: one that serves a connection at a time would wait for somebody's start.
    ...(seccomp.notifies ? [...seccomp.filter, ...start] : [...start, ...seccomp.filter]),
    ...dropHeld(masks, held),
    ...beforeExec(env),
    { op: 'exec', side: 'init', argv: args, env },
  ];
}

/**
 * Root has dropped its groups when it entered the user namespace; an ordinary user drops them now, where the namespace allows it. A runtime that is root of one
 * that does not does without them, as runc: in that of one id alone, which podman makes without subordinate ids, every image's root has some.
 */
function groupFlags(groups: readonly number[], inUserNamespace: boolean, { ordinaryUser, inUserNamespace: isNested }: Machine): { readonly flags?: number } {
  if (ordinaryUser !== undefined || isNested) return { flags: setgroupsMayBeDenied };
  return inUserNamespace && groups.length === 0 ? { flags: keepGroups } : {};
}

/** CAP_SYS_ADMIN (capability.h). */
const sysAdmin = 1n << 21n;

/** The sets as they were asked for, once the filter is there. */
function dropHeld({ effective, permitted, inheritable }: ReturnType<typeof capabilityMasks>, held: bigint): readonly Op[] {
  if ((held & ~(effective & permitted)) === 0n) return [];
  return [{ op: 'capset', side: 'init', effective, permitted, inheritable }];
}

/** A process whose monitor is killed dies with it: nobody would hear of its end, read its output or clean up after it. */
export function deathOps({ stdio }: Pick<Options, 'stdio'>): readonly Op[] {
  return stdio.kind === 'monitor' ? [{ op: 'pdeathsig', side: 'init', signal: sigkill }] : [];
}

function startOps({ start }: Options): readonly Op[] {
  switch (start.kind) {
    case 'at-once':
      return [];
    case 'connection':
      return [{ op: 'wait_start', side: 'init' }];
    case 'fifo':
      return [{ op: 'wait_start', side: 'init', fifo: startFifoSlot }];
  }
}

/** The slot that every program with a FIFO opens it into; the allocator starts behind it. */
export const startFifoSlot = 0;

function rlimitOps({ rlimits = [] }: ProcessSpec): readonly Op[] {
  return rlimits.map(({ type, soft, hard }): Op => {
    const resource = rlimitNumbers[type];
    if (resource === undefined) throw invalid('process.rlimits', `unknown limit ${JSON.stringify(type)}`);
    return { op: 'rlimit', side: 'init', resource, soft: unsigned(soft), hard: unsigned(hard) };
  });
}

/** A JSON -1 means RLIM_INFINITY in the field, though the specification says uint64. */
function unsigned(value: number | bigint): bigint {
  return BigInt.asUintN(64, BigInt(value));
}

/** First of all: in a user namespace the file belongs to the host's root once the process has changed its user, and to nobody who may write it. */
export function oomScoreOps({ oomScoreAdj }: ProcessSpec, side: 'host' | 'init'): readonly Op[] {
  return oomScoreAdj === undefined ? [] : [{ op: 'oom_score_adj', side, value: oomScoreAdj }];
}

function schedulerOps({ scheduler }: ProcessSpec): readonly Op[] {
  if (scheduler === undefined) return [];
  const policy = schedulerPolicies[scheduler.policy];
  if (policy === undefined) throw invalid('process.scheduler.policy', `unknown policy ${JSON.stringify(scheduler.policy)}`);
  return [
    {
      op: 'scheduler',
      side: 'init',
      policy,
      nice: scheduler.nice ?? 0,
      priority: scheduler.priority ?? 0,
      flags: sumFlags('process.scheduler.flags', scheduler.flags ?? [], schedulerFlags),
      runtime: scheduler.runtime ?? 0,
      deadline: scheduler.deadline ?? 0,
      period: scheduler.period ?? 0,
    },
  ];
}

function ioPriorityOps({ ioPriority }: ProcessSpec): readonly Op[] {
  if (ioPriority === undefined) return [];
  const ioClass = ioPriorityClasses[ioPriority.class];
  if (ioClass === undefined) throw invalid('process.ioPriority.class', `unknown class ${JSON.stringify(ioPriority.class)}`);
  const { priority = 0 } = ioPriority;
  if (priority < 0 || priority > 7) throw invalid('process.ioPriority.priority', 'must be in 0–7');
  return [{ op: 'ioprio', side: 'init', value: (ioClass << 13) | priority }];
}

function apparmorOps({ apparmorProfile, selinuxLabel }: ProcessSpec, machine: Machine): readonly Op[] {
  const ops: Op[] = [];
  if (apparmorProfile !== undefined && apparmorProfile !== '') {
    if (!machine.apparmor) throw cannotHonour('process.apparmorProfile', 'apparmor is not enabled on this machine');
    ops.push({ op: 'label', side: 'init', name: 'apparmor/exec', value: `exec ${apparmorProfile}` });
  }
  if (selinuxLabel !== undefined && selinuxLabel !== '') {
    if (!machine.selinux) throw cannotHonour('process.selinuxLabel', 'selinux label is specified in config, but selinux is disabled or not supported');
    ops.push({ op: 'label', side: 'init', name: 'exec', value: selinuxLabel });
  }
  return ops;
}

export function personalityOps(linux: LinuxSpec | undefined): readonly Op[] {
  if (linux?.personality === undefined) return [];
  const persona = personalities[linux.personality.domain];
  if (persona === undefined) throw invalid('linux.personality.domain', `unknown domain ${JSON.stringify(linux.personality.domain)}`);
  if ((linux.personality.flags ?? []).length > 0) throw cannotHonour('linux.personality.flags', 'no flag is defined');
  return [{ op: 'personality', side: 'init', persona }];
}

function sumFlags(field: string, names: readonly string[], table: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const name of names) {
    const bit = Object.hasOwn(table, name) ? table[name] : undefined;
    if (bit === undefined) throw invalid(field, `unknown flag ${JSON.stringify(name)}`);
    sum |= bit;
  }
  return sum;
}

/** -1 as an id means "leave it" to the kernel: with a wrong number a process would stay root (CVE-2024-40635). */
function checkIds({ user }: ProcessSpec): void {
  for (const id of [user?.uid ?? 0, user?.gid ?? 0, ...(user?.additionalGids ?? [])])
    if (!Number.isInteger(id) || id < 0 || id >= noIds) throw invalid('process.user', `id ${id} is outside of 0–${noIds - 1}`);
}

/** u32 little endian each, as set_user wants them. */
function idBytes(ids: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(ids.length * 4);
  for (const [index, id] of ids.entries()) bytes.writeUInt32LE(id, index * 4);
  return bytes;
}
