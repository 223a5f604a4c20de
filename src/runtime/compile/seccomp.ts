import {
  compileSeccomp,
  jsonWithPid,
  learningFilter,
  machineArch,
  nestPidText,
  type Op,
  type PidText,
  pidOffsetBytes,
  type SeccompFilter,
} from '../../kernel/index.ts';
import type { LinuxSeccomp, State } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { openFlags } from './linux-numbers.ts';
import type { CreateOptions, ExecOptions, Learning, Machine } from './options.ts';
import type { SlotAllocator } from './slots.ts';

/** What the filter of a process is, in the parts of its program. */
export interface SeccompPlan {
  /** before `clone`: the connection to the agent */
  readonly host: readonly Op[];
  readonly filter: readonly Op[];
  /** the agent gets the descriptor when the filter is loaded */
  readonly notifies: boolean;
}

/** The state that an agent is told: with the pid of the process itself in a container that is being made, else of its init (config-linux.md). */
export type AgentState = Omit<State, 'annotations'> & { readonly annotations: State['annotations'] | undefined };

const none: SeccompPlan = { host: [], filter: [], notifies: false };

export function planSeccomp(profile: LinuxSeccomp | undefined, options: CreateOptions | ExecOptions, state: AgentState, slots: SlotAllocator): SeccompPlan {
  const own = planProfile(profile, options, state, slots);
  return options.learn === undefined ? own : withLearning(own, options.learn, options.machine, slots);
}

/** Above the container's own filter, which still decides: what it refuses the container did not do. */
function withLearning(own: SeccompPlan, { record, pass }: Learning, { arch }: Machine, slots: SlotAllocator): SeccompPlan {
  if (own.notifies) throw invalid('linux.seccomp', 'a profile with SCMP_ACT_NOTIFY leaves no listener for --learn: a process has one');
  const slot = slots.take();
  const flags = openFlags.writeOnly | openFlags.create | openFlags.exclusive | openFlags.append | openFlags.closeOnExec;
  return {
    host: [...own.host, { op: 'open', side: 'host', out: slot, path: record, flags, mode: 0o600 }],
    filter: [...own.filter, { op: 'learn', side: 'init', filter: learningFilter(machineArch[arch], pass), pass, record: slot }],
    notifies: false,
  };
}

function planProfile(profile: LinuxSeccomp | undefined, options: CreateOptions | ExecOptions, state: AgentState, slots: SlotAllocator): SeccompPlan {
  if (profile === undefined || (profile.defaultAction === 'SCMP_ACT_ALLOW' && (profile.syscalls ?? []).length === 0)) return none;
  const { filter, flags, notifies } = options.seccompFilter ?? seccompFilter(profile, options.machine);
  options.onDebug?.(`seccomp filter flags: ${flags}`);
  if (!notifies) return { host: [], filter: [{ op: 'seccomp', side: 'init', flags, filter }], notifies };
  const listener = slots.take();
  const text = containerProcessState(profile, state);
  return {
    host: [{ op: 'connect_unix', side: 'host', out: listener, path: profile.listenerPath ?? '' }],
    filter: [{ op: 'seccomp', side: 'init', flags, filter, listener, metadata: Buffer.from(text.text), pidOffsets: pidOffsetBytes(text) }],
    notifies,
  };
}

/** config-linux.md, "The Container Process State". */
function containerProcessState({ listenerMetadata }: LinuxSeccomp, state: AgentState): PidText {
  const outer = { ociVersion: state.ociVersion, fds: ['seccompFd'], ...(listenerMetadata ? { metadata: listenerMetadata } : {}) };
  return state.pid === undefined ? nestPidText(outer, 'state', jsonWithPid(state)) : jsonWithPid({ ...outer, state });
}

/** By profile: most containers of a daemon share the default one. */
const filters = new WeakMap<LinuxSeccomp, SeccompFilter>();

function seccompFilter(profile: LinuxSeccomp, { arch }: Machine): SeccompFilter {
  const known = filters.get(profile);
  if (known !== undefined) return known;
  const filter = compileSeccomp(profile, { native: machineArch[arch] });
  filters.set(profile, filter);
  return filter;
}
