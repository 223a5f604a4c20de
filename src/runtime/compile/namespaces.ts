import { StrakeError } from '../../base/index.ts';
import type { Op } from '../../kernel/index.ts';
import type { LinuxSpec, NamespaceType } from '../../oci/index.ts';
import { cloneFlags, openFlags } from './linux-numbers.ts';
import type { OrdinaryUser } from './options.ts';
import type { SlotAllocator } from './slots.ts';

/** Which namespaces a container makes, which it joins, and which it shares with the runtime. */
export interface NamespacePlan {
  readonly made: ReadonlySet<NamespaceType>;
  readonly joined: ReadonlyMap<NamespaceType, string>;
  has(type: NamespaceType): boolean;
}

export function planNamespaces(linux: LinuxSpec | undefined): NamespacePlan {
  const made = new Set<NamespaceType>();
  const joined = new Map<NamespaceType, string>();
  for (const { type, path } of linux?.namespaces ?? []) {
    if (path === undefined || path === '') made.add(type);
    else joined.set(type, path);
  }
  return { made, joined, has: (type) => made.has(type) || joined.has(type) };
}

export interface NamespaceOps {
  /** opens the namespaces to join, before anything is joined */
  readonly open: readonly Op[];
  /** slot of the user namespace to join */
  readonly joinedUserSlot: number | undefined;
  /** before `clone` */
  readonly host: readonly Op[];
  /** flags of `clone` */
  readonly cloneFlags: number;
  /** first in the init, once the id maps are written and it sits in its cgroups */
  readonly init: readonly Op[];
}

/**
 * The order that the kernel wants: a user namespace is entered first, since it owns the ones made after it; a pid namespace
 * takes effect for children only; a time namespace is made inside, so that the user namespace owns it; a cgroup namespace is made by a process that is in its cgroup already, because that becomes its root.
 * Beside a user namespace, namespaces of the host's are joined before it, while there is the power to: it may not own them. An ordinary user
 * has that power only inside it.
 */
export function namespaceOps(plan: NamespacePlan, timeOffsets: LinuxSpec['timeOffsets'], slots: SlotAllocator, user: OrdinaryUser | undefined): NamespaceOps {
  const host: Op[] = [];
  const init: Op[] = [];
  const inUserNamespace = plan.has('user');
  const opened = [...plan.joined].map(([type, path]) => ({ type, path, slot: slots.take() }));
  const open = opened.map(({ path, slot }): Op => ({ op: 'open', side: 'host', out: slot, path, flags: openFlags.closeOnExec, mode: 0 }));
  const joinOn = (side: 'host' | 'init', type: NamespaceType) => {
    const slot = opened.find((entry) => entry.type === type)?.slot;
    if (slot !== undefined) (side === 'host' ? host : init).push({ op: 'join', side, fd: slot, flags: cloneFlags[type] });
  };
  const early = inUserNamespace && user === undefined;
  if (early) for (const type of earlyTypes) joinOn('host', type);
  for (const type of ['user', 'pid', 'time'] as const) joinOn('host', type);
  if (plan.made.has('time')) init.push(...newTimeOps(timeOffsetsText(timeOffsets), slots.take()));
  if (!early) for (const type of earlyTypes) joinOn('init', type);
  for (const type of ['mount', 'cgroup'] as const) joinOn('init', type);
  if (inUserNamespace) init.push({ op: 'set_user', side: 'init', uid: 0, gid: 0, flags: user === undefined ? setgroupsMayBeDenied : keepGroups });
  if (plan.made.has('cgroup')) init.push({ op: 'unshare', side: 'init', flags: cloneFlags.cgroup });
  const joinedUserSlot = opened.find(({ type }) => type === 'user')?.slot;
  return { open, joinedUserSlot, host, cloneFlags: flagsOf([...plan.made].filter((type) => type !== 'cgroup' && type !== 'time')), init };
}

const earlyTypes = ['ipc', 'uts', 'network'] as const;
/** set_user, field `flags`. An ordinary user may reach the root filesystem by a group alone. */
export const keepGroups = 1;
export const setgroupsMayBeDenied = 2;

/** unshare(2) makes a time namespace for children alone; its offsets can be set as long as nobody is in it (time_namespaces(7)). */
function newTimeOps(offsets: string, slot: number): readonly Op[] {
  return [
    { op: 'unshare', side: 'init', flags: cloneFlags.time },
    ...(offsets === '' ? [] : [{ op: 'time_offsets', side: 'init', text: offsets } as const]),
    { op: 'open', side: 'init', out: slot, path: '/proc/self/ns/time_for_children', flags: openFlags.closeOnExec, mode: 0 },
    { op: 'join', side: 'init', fd: slot, flags: cloneFlags.time },
  ];
}

export function flagsOf(types: Iterable<NamespaceType>): number {
  let flags = 0;
  for (const type of types) flags |= cloneFlags[type];
  return flags;
}

/** time_namespaces(7): a line `CLOCK SECONDS NANOSECONDS` each. */
function timeOffsetsText(offsets: LinuxSpec['timeOffsets']): string {
  return Object.entries(offsets ?? {})
    .map(([clock, offset]) => {
      if (clock !== 'boottime' && clock !== 'monotonic')
        throw new StrakeError('InvalidArgument', `linux.timeOffsets: unknown clock ${JSON.stringify(clock)}`, { fields: { layer: 'runtime' } });
      return `${clock} ${String(offset.secs ?? 0)} ${offset.nanosecs ?? 0}\n`;
    })
    .join('');
}
