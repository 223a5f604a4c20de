import type { Op } from '../../kernel/index.ts';
import type { ProcessSpec, RuntimeSpec } from '../../oci/index.ts';
import { resetAffinity } from './affinity.ts';
import { cloneIntoCgroup } from './clone-into-cgroup.ts';
import { invalid } from './error.ts';
import { hiddenPathOps } from './hidden-paths.ts';
import { createHookOps } from './hooks.ts';
import { idMapOps } from './id-maps.ts';
import { newKeyringOps } from './keyring.ts';
import { memoryPolicyOps } from './memory-policy.ts';
import { namespaceOps, planNamespaces } from './namespaces.ts';
import { netDeviceOps } from './net-devices.ts';
import type { CreateOptions } from './options.ts';
import { pidfdSocketOps } from './pidfd-socket.ts';
import { deathOps, identityOps, limitOps, oomScoreOps, personalityOps } from './process.ts';
import { rootfsOps } from './rootfs.ts';
import { checkRootless, checkRootlessGroups } from './rootless-rules.ts';
import { planSeccomp } from './seccomp.ts';
import { SlotAllocator } from './slots.ts';
import { consoleSocketOps, detachOrReap, monitorOps, startFifoOps, terminalOps } from './stdio.ts';

/** A container may be created without a process; it is the start that fails then (runtime.md, "Start"): nothing was looked up to execute. */
const absentProcess: ProcessSpec = { cwd: '/', args: ['no process'] };

/**
 * A configuration as the program that makes its container. Pure: what the machine is like comes in by `options`. Throws InvalidArgument
 * for a contradiction and Unimplemented for a field that cannot be honoured, before anything is made.
 */
export function compileCreate(spec: RuntimeSpec, options: CreateOptions): readonly Op[] {
  const process = spec.process ?? (options.start.kind === 'fifo' ? absentProcess : undefined);
  if (process === undefined) throw invalid('process', 'the configuration has none');
  const { linux } = spec;
  const { machine } = options;
  const namespaces = planNamespaces(linux);
  if (machine.ordinaryUser !== undefined) {
    checkRootless(spec, namespaces);
    checkRootlessGroups(process);
  }
  const slots = new SlotAllocator();
  const fifo = startFifoOps(options, slots);
  const consoleSocket = consoleSocketOps(options.stdio, slots);
  const pidfd = pidfdSocketOps(options.pidfdSocket, 'container', slots);
  const root = slots.take();
  const ns = namespaceOps(namespaces, linux?.timeOffsets, slots, machine.ordinaryUser);
  const { cgroup, network } = options;
  const { ociVersion, annotations } = spec;
  const seccomp = planSeccomp(linux?.seccomp, options, { ociVersion, id: options.id, status: 'creating', bundle: options.bundle, annotations }, slots);
  const intoCgroup = cloneIntoCgroup(cgroup.v2, slots);
  const rootfs = rootfsOps(spec, options, namespaces, ns, root, slots);
  const netDevices = netDeviceOps(linux?.netDevices, { namespaces, user: machine.ordinaryUser, devices: options.netDevices ?? [] }, slots);
  const hooks = createHookOps(spec, options, ns.host.length > 0, root, slots);
  return [
    ...monitorOps(options.stdio, cgroup.oomFile),
    ...cgroup.create,
    ...(options.mountpoint === undefined ? [] : [{ op: 'mkdir', side: 'host', path: options.mountpoint, mode: 0o700 } as const]),
    ...fifo,
    ...consoleSocket.ops,
    ...pidfd.before,
    ...seccomp.host,
    ...intoCgroup.ops,
    ...ns.open,
    ...rootfs.beforeJoin,
    ...netDevices.before,
    ...hooks.beforeJoin,
    ...ns.host,
    { op: 'clone', side: 'host', flags: ns.cloneFlags, ...intoCgroup.field },
    ...pidfd.after,
    ...rootfs.afterClone,
    ...hooks.afterClone,
    ...idMapOps(linux, namespaces, machine.ordinaryUser),
    ...(network?.hostOperations ?? []),
    ...cgroup.initAttach,
    ...oomScoreOps(process, 'init'),
    resetAffinity,
    ...ns.init,
    ...netDevices.move,
    { op: 'setsid', side: 'init' },
    ...newKeyringOps(process, options, namespaces.has('user')),
    ...(namespaces.made.has('network') ? [{ op: 'lo_up', side: 'init' } as const] : []),
    ...(network?.initOperations ?? []),
    ...rootfs.build,
    ...cwdOps(process.cwd, root),
    ...hooks.beforePivot,
    ...rootfs.enter,
    ...terminalOps(process, options.stdio, consoleSocket.slot, { console: true }),
    ...rootfs.seal,
    ...(spec.hostname ? [{ op: 'sethostname', side: 'init', name: spec.hostname } as const] : []),
    ...(spec.domainname ? [{ op: 'setdomainname', side: 'init', name: spec.domainname } as const] : []),
    ...Object.entries(linux?.sysctl ?? {}).map(([key, value]): Op => ({ op: 'sysctl', side: 'init', key: sysctlPath(key), value })),
    ...hiddenPathOps(spec, namespaces),
    ...personalityOps(linux),
    ...memoryPolicyOps(linux?.memoryPolicy),
    ...limitOps(process, machine),
    ...(options.reaper ? [...deathOps(options), { op: 'reaper', side: 'init' } as const] : []),
    ...identityOps(process, seccomp, options, namespaces.has('user'), hooks.beforeExec).filter(({ op }) => process !== absentProcess || op !== 'lookup_exec'),
    ...hooks.afterExec,
    ...detachOrReap(options),
    ...(options.detach
      ? []
      : [...(network?.cleanupOperations ?? []), ...(options.keepCgroup ? [] : cgroup.cleanup), ...stateOps(options), ...hooks.afterRemoval]),
  ];
}

function stateOps({ stateDirectory }: CreateOptions): readonly Op[] {
  return stateDirectory === undefined ? [] : [{ op: 'remove_dir', side: 'host', path: stateDirectory }];
}

/** runc makes a missing working directory, as root with mode 0755, before the root may become read-only. */
function cwdOps(cwd: string, root: number): readonly Op[] {
  return cwd === '/' ? [] : [{ op: 'mkdir_in', side: 'init', root, path: cwd, mode: 0o755, uid: 0, gid: 0 }];
}

/** sysctl(8): `net.ipv4.conf.eth0/1.forwarding` separates with dots, or with slashes when a slash comes first. */
function sysctlPath(key: string): string {
  const separator = /[./]/.exec(key)?.[0];
  if (separator === '/' || separator === undefined) return key;
  return key.replace(/[./]/g, (mark) => (mark === '.' ? '/' : '.'));
}
