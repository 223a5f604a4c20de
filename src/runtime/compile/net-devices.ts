import type { Op } from '../../kernel/index.ts';
import { moveNetDevice, type NetDevice, restoreNetDevice } from '../../kernel/netlink/index.ts';
import type { LinuxSpec } from '../../oci/index.ts';
import { cannotHonour, invalid } from './error.ts';
import { openFlags } from './linux-numbers.ts';
import type { NamespacePlan } from './namespaces.ts';
import type { OrdinaryUser } from './options.ts';
import type { SlotAllocator } from './slots.ts';

const field = 'linux.netDevices';
/** net/core/dev.c, dev_valid_name */
const validName = /^(?!\.{1,2}$)[^/:\s]{1,15}$/;

export interface NetDeviceOps {
  /** before the host side joins any namespace */
  readonly before: readonly Op[];
  /** once the init is in its network namespace */
  readonly move: readonly Op[];
}

export interface NetDevicePlace {
  readonly namespaces: NamespacePlan;
  readonly user: OrdinaryUser | undefined;
  /** of the runtime's namespace */
  readonly devices: readonly NetDevice[];
}

/**
 * config-linux.md, "Network Devices": devices of the runtime's network namespace go into the container's, with their addresses. They come back as the kernel
 * gives them back: a physical one when the namespace ends, others never.
 */
export function netDeviceOps(wanted: LinuxSpec['netDevices'], { namespaces, user, devices }: NetDevicePlace, slots: SlotAllocator): NetDeviceOps {
  const entries = Object.entries(wanted ?? {});
  if (entries.length === 0) return { before: [], move: [] };
  if (!namespaces.has('network')) throw invalid(field, 'unable to move network devices without a NET namespace');
  if (user !== undefined) throw cannotHonour(field, 'network devices are not supported for rootless containers');
  // From inside a user namespace that it has joined, the host side cannot go back.
  if (namespaces.joined.has('user') && namespaces.joined.has('network'))
    throw cannotHonour(field, 'the container joins a user and a network namespace: move the device into the latter before');
  // Beside a user namespace the host side itself joins the network namespace, and the devices are elsewhere then.
  const own = namespaces.has('user') && namespaces.joined.has('network') ? slots.take() : undefined;
  const before: Op[] = own === undefined ? [] : [{ op: 'open', side: 'host', out: own, path: '/proc/self/ns/net', flags: openFlags.closeOnExec, mode: 0 }];
  const moves = entries.map(([name, { name: newName }]) => {
    for (const one of [name, newName || name]) if (!validName.test(one)) throw invalid(field, `invalid network device name ${JSON.stringify(one)}`);
    const device = devices.find((candidate) => candidate.name === name);
    if (device === undefined) throw invalid(field, `link not found for interface ${name} on runtime namespace`);
    return { device, name: newName || name };
  });
  return {
    before,
    move: [...moves.map(({ device, name }) => moveNetDevice(device, name, own)), ...moves.map(({ device, name }) => restoreNetDevice(device, name))],
  };
}
