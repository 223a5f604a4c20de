import { StrakeError } from '../../base/index.ts';
import type { Op } from '../../kernel/index.ts';
import type { LinuxSpec, NamespaceType } from '../../oci/index.ts';
import { cloneFlags, openFlags } from './linux-numbers.ts';
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
 * The order that the kernel wants: a user namespace is entered first, since it owns the ones made after it; a pid or time namespace
 * takes effect for children only; a cgroup namespace is made by a process that is in its cgroup already, because that becomes its root.
 */
export function namespaceOps(plan: NamespacePlan, timeOffsets: LinuxSpec['timeOffsets'], slots: SlotAllocator): NamespaceOps {
  const host: Op[] = [];
  const init: Op[] = [];
  const joinedUser = plan.joined.has('user');
  const opened = [...plan.joined].map(([type, path]) => ({ type, path, slot: slots.take() }));
  const open = opened.map(({ path, slot }): Op => ({ op: 'open', side: 'host', out: slot, path, flags: openFlags.closeOnExec, mode: 0 }));
  const joinOn = (side: 'host' | 'init', type: NamespaceType) => {
    const slot = opened.find((entry) => entry.type === type)?.slot;
    if (slot !== undefined) (side === 'host' ? host : init).push({ op: 'join', side, fd: slot, flags: cloneFlags[type] });
  };
  for (const type of ['user', 'pid', 'time'] as const) joinOn('host', type);
  if (plan.made.has('time')) {
    host.push({ op: 'unshare', side: 'host', flags: cloneFlags.time });
    const text = timeOffsetsText(timeOffsets);
    if (text !== '') host.push({ op: 'time_offsets', side: 'host', text });
  }
  for (const type of ['ipc', 'uts', 'network', 'mount', 'cgroup'] as const) joinOn('init', type);
  if (plan.made.has('user') || joinedUser) init.push({ op: 'set_user', side: 'init', uid: 0, gid: 0 });
  if (plan.made.has('cgroup')) init.push({ op: 'unshare', side: 'init', flags: cloneFlags.cgroup });
  const joinedUserSlot = opened.find(({ type }) => type === 'user')?.slot;
  return { open, joinedUserSlot, host, cloneFlags: flagsOf([...plan.made].filter((type) => type !== 'cgroup' && type !== 'time')), init };
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
