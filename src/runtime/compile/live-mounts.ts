import type { Op } from '../../kernel/index.ts';
import type { LinuxSpec, Mount } from '../../oci/index.ts';
import { cannotHonour, invalid } from './error.ts';
import { idMappedMounts, isIdMapped } from './id-mapped-mounts.ts';
import { cloneFlags, openFlags } from './linux-numbers.ts';
import { propagationOptions } from './mount-options.ts';
import { mountPlan } from './mounts.ts';
import { planNamespaces } from './namespaces.ts';
import { SlotAllocator } from './slots.ts';

/** A container that runs. */
export interface LiveContainer {
  readonly pid: number;
  /** field 22 of /proc/PID/stat, clock ticks */
  readonly startTime: number | bigint;
  readonly linux: LinuxSpec | undefined;
}

type MountBind = Extract<Op, { op: 'mount_bind' }>;
type BindSource = Extract<Op, { op: 'bind_source' }>;

interface Entry {
  readonly ops: readonly Op[];
  readonly root: number;
  readonly init: number;
}

/**
 * Mounts into a running container (`mounts add`): binds are opened on the host, detached; then the program enters the container's mount namespace and
 * puts them below its root, whose descriptor it took before. Relative sources are those of `directory`.
 */
export function compileAddMounts(mounts: readonly Mount[], container: LiveContainer, directory: string, warn: (message: string) => void): readonly Op[] {
  const slots = new SlotAllocator();
  const entry = enterOps(container, slots);
  const namespaces = planNamespaces(container.linux);
  const userns = namespaces.has('user') && mounts.some(isIdMapped) ? slots.take() : undefined;
  const wanted = mounts.map(checked);
  const idMaps = idMappedMounts(wanted, container.linux, namespaces, userns, slots);
  const plan = mountPlan(wanted, {
    root: entry.root,
    rootPath: undefined,
    reopenRoot: undefined,
    bundle: directory,
    cgroup: { v1: [], v1Links: [], v2: undefined, create: [], initAttach: [], cleanup: [], oomFile: '' },
    namespaces,
    helper: undefined,
    idMapSlot: idMaps.slotOf,
    label: undefined,
    keepsSharedMounts: false,
    warn,
  });
  const sources: BindSource[] = [];
  const inside = [...plan.now, ...plan.late].map((op): Op => (op.op === 'mount_bind' ? attachedBind(op, slots.take(), sources) : onHost(op, entry.root)));
  return [
    ...entry.ops,
    ...(userns === undefined ? [] : [openFile(userns, `/proc/${container.pid}/ns/user`, openFlags.closeOnExec)]),
    ...idMaps.ops,
    ...sources,
    joinMounts(entry),
    ...inside,
  ];
}

/** Takes mounts away again (`mounts remove`), the last one first. Only their destinations count. */
export function compileRemoveMounts(mounts: readonly Mount[], container: LiveContainer): readonly Op[] {
  const entry = enterOps(container, new SlotAllocator());
  const inside = mounts.map(({ destination }): Op => ({ op: 'umount_in', side: 'host', root: entry.root, target: destination })).reverse();
  return [...entry.ops, joinMounts(entry), ...inside];
}

/** The copy of a shared mount of the host would carry what is mounted on it in the container back there: private, when nothing else is asked. */
function checked(mount: Mount, index: number): Mount {
  const field = `mounts[${index}]`;
  const options = mount.options ?? [];
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') throw cannotHonour(field, 'cgroups are mounted when a container is made, not later');
  if (options.includes('copy-symlink')) throw invalid(field, 'copy-symlink is for mounts of a new container');
  return options.some((option) => Object.hasOwn(propagationOptions, option)) ? mount : { ...mount, options: [...options, 'rprivate'] };
}

function enterOps({ pid, startTime }: LiveContainer, slots: SlotAllocator): Entry {
  const init = slots.take();
  const root = slots.take();
  return {
    init,
    root,
    ops: [
      { op: 'pidfd_open', side: 'host', out: init, pid, startTime },
      openFile(root, `/proc/${pid}/root`, openFlags.path | openFlags.directory | openFlags.closeOnExec),
    ],
  };
}

function openFile(out: number, path: string, flags: number): Op {
  return { op: 'open', side: 'host', out, path, flags, mode: 0 };
}

function joinMounts({ init }: Entry): Op {
  return { op: 'join', side: 'host', fd: init, flags: cloneFlags.mount };
}

/** A source of the host cannot be opened from inside, so that half of a bind comes first. */
function attachedBind(op: MountBind, slot: number, sources: BindSource[]): Op {
  const { source, recursive, set, clear, clearUnlocked, recSet, recClear, propagation, flags, userns, root, target, create } = op;
  sources.push({
    op: 'bind_source',
    side: 'host',
    out: slot,
    source,
    recursive,
    set,
    // Nothing is locked on the host.
    clear: Number(clear ?? 0) | Number(clearUnlocked ?? 0),
    recSet,
    recClear,
    propagation,
    flags,
    userns,
  });
  return { op: 'attach', side: 'host', fd: slot, root, target, create, flags };
}

/** What is said of the new root when a container is made is said of its root here. */
function onHost(op: Op, root: number): Op {
  return { ...op, side: 'host', root: 'root' in op && op.root !== undefined ? op.root : root } as Op;
}
