import { StrakeError } from '../../base/index.ts';
import type { CapabilitiesSpec } from '../../oci/index.ts';

/** Every capability in the kernel's order (linux/capability.h, up to CAP_CHECKPOINT_RESTORE of 5.9). */
export const allCapabilities: readonly string[] = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW ' +
  'IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD ' +
  'LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
)
  .split(' ')
  .map((name) => `CAP_${name}`);

/** docs/RELIABILITY.md, "Secure by default". */
export const defaultCapabilities: readonly string[] =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'
    .split(' ')
    .map((name) => `CAP_${name}`);

const every = 'ALL';

export interface CapabilityChoice {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** The bounding set of the machine, where it is known: what it lacks is left out, as docker does for privileged. */
  readonly available?: readonly string[];
}

/** `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are one; `ALL` stays. InvalidArgument for a name that is none. */
export function normaliseCapabilities(field: string, names: readonly string[]): readonly string[] {
  return names.map((name) => {
    const upper = name.toUpperCase();
    if (upper === every) return every;
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!allCapabilities.includes(full)) throw new StrakeError('InvalidArgument', `invalid ${field}: unknown capability: "${full}"`);
    return full;
  });
}

/** The capabilities of the process (moby oci/caps: TweakCapabilities). ALL dropped means those added alone. */
export function chooseCapabilities({ privileged, add, drop, available = allCapabilities }: CapabilityChoice): readonly string[] {
  if (privileged) return available;
  const adds = normaliseCapabilities('CapAdd', add);
  const drops = normaliseCapabilities('CapDrop', drop);
  const base = drops.includes(every)
    ? []
    : adds.includes(every)
      ? available.filter((name) => !drops.includes(name))
      : defaultCapabilities.filter((name) => !drops.includes(name));
  const added = adds.includes(every) ? (drops.includes(every) ? available : []) : adds;
  return [...new Set([...base, ...added])];
}

/** A process that is not root gets the bounding set alone: what execve would leave it. Inheritable stays empty (CVE-2022-24769). */
export function capabilitySets(names: readonly string[], uid: number): CapabilitiesSpec {
  return uid === 0 ? { bounding: names, effective: names, permitted: names } : { bounding: names };
}
