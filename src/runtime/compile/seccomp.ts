import { compileSeccomp, jsonWithPid, machineArch, nestPidText, type Op, type PidText, pidOffsetBytes, type SeccompFilter } from '../../kernel/index.ts';
import type { LinuxSeccomp, State } from '../../oci/index.ts';
import type { CreateOptions, ExecOptions, Machine } from './options.ts';
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
