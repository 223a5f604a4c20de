import { initAttachOperations, type Op } from '../../kernel/index.ts';
import type { NamespaceType, ProcessSpec, RuntimeSpec } from '../../oci/index.ts';
import { execAffinityOps } from './affinity.ts';
import { cloneIntoCgroup } from './clone-into-cgroup.ts';
import { keyringOps } from './keyring.ts';
import { cloneFlags } from './linux-numbers.ts';
import { memoryPolicyOps } from './memory-policy.ts';
import { flagsOf, keepGroups, planNamespaces, setgroupsMayBeDenied } from './namespaces.ts';
import type { ExecOptions } from './options.ts';
import { pidfdSocketOps } from './pidfd-socket.ts';
import { identityOps, limitOps, oomScoreOps, personalityOps } from './process.ts';
import { joinResctrl } from './resctrl.ts';
import { checkRootlessGroups } from './rootless-rules.ts';
import { planSeccomp } from './seccomp.ts';
import { SlotAllocator } from './slots.ts';
import { consoleSocketOps, detachOrReap, monitorOps, startFifoOps, terminalOps } from './stdio.ts';

const namespaceTypes: readonly NamespaceType[] = ['user', 'mount', 'uts', 'ipc', 'network', 'cgroup', 'time', 'pid'];

/**
 * One more process in a running container, as a program: its pidfd (checked against reuse by the start time), the pid namespace on the host
 * side since it takes effect for children, all others by one setns in the child, its cgroups, then the same identity steps as the init's.
 */
export function compileExec(spec: RuntimeSpec, process: ProcessSpec, options: ExecOptions): readonly Op[] {
  const namespaces = planNamespaces(spec.linux);
  const inUserNamespace = namespaces.has('user');
  const slots = new SlotAllocator();
  const fifo = startFifoOps(options, slots);
  const consoleSocket = consoleSocketOps(options.stdio, slots);
  const pidfd = pidfdSocketOps(options.pidfdSocket, 'exec', slots);
  const init = slots.take();
  const intoCgroup = cloneIntoCgroup(options.cgroup.v2, slots);
  const { ociVersion, annotations } = spec;
  const state = { ociVersion, id: options.id, status: 'running', pid: options.init.pid, bundle: options.bundle ?? '', annotations } as const;
  const seccomp = planSeccomp(spec.linux?.seccomp, options, state, slots);
  const affinity = execAffinityOps(process);
  const ordinary = options.machine.ordinaryUser !== undefined;
  if (ordinary) checkRootlessGroups(process);
  const userFirst = ordinary && inUserNamespace;
  const others = flagsOf(namespaceTypes.filter((type) => type !== 'pid' && !(userFirst && type === 'user') && namespaces.has(type)));
  return [
    ...monitorOps(options.stdio, ''),
    { op: 'pidfd_open', side: 'host', out: init, pid: options.init.pid, startTime: options.init.startTime },
    ...fifo,
    ...consoleSocket.ops,
    ...pidfd.before,
    ...seccomp.host,
    ...intoCgroup.ops,
    ...affinity.initial,
    // An ordinary user may enter the other namespaces only from inside of this one, and not write the score any more then.
    ...(userFirst ? [...oomScoreOps(process, 'host'), { op: 'join', side: 'host', fd: init, flags: cloneFlags.user } as const] : []),
    ...(namespaces.has('pid') ? [{ op: 'join', side: 'host', fd: init, flags: cloneFlags.pid } as const] : []),
    { op: 'clone', side: 'host', flags: 0, ...intoCgroup.field },
    ...pidfd.after,
    ...initAttachOperations(options.cgroup.v1.map(({ dir }) => dir)),
    ...(options.resctrl === undefined ? [] : joinResctrl(options.resctrl)),
    ...affinity.final,
    ...(userFirst ? [] : oomScoreOps(process, 'init')),
    // Limits need the runtime's privileges over the host, which a joined user namespace takes away.
    ...limitOps(process, options.machine),
    ...(others === 0 ? [] : [{ op: 'join', side: 'init', fd: init, flags: others } as const]),
    ...(inUserNamespace ? [{ op: 'set_user', side: 'init', uid: 0, gid: 0, flags: ordinary ? keepGroups : setgroupsMayBeDenied } as const] : []),
    { op: 'setsid', side: 'init' },
    ...keyringOps(process, options),
    ...terminalOps(process, options.stdio, consoleSocket.slot, { console: false }),
    ...personalityOps(spec.linux),
    ...memoryPolicyOps(spec.linux?.memoryPolicy),
    ...identityOps(process, seccomp, options, inUserNamespace),
    ...detachOrReap(options),
  ];
}
