import { StrakeError } from '../../base/index.ts';
import type { DeviceRule } from '../../oci/index.ts';

/** Bits of an access, as BPF_DEVCG_ACC_* has them. */
export const deviceAccess = { mknod: 1, read: 2, write: 4, all: 7 } as const;

export interface DeviceException {
  readonly type: 'b' | 'c';
  /** undefined: every number */
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** bits of `deviceAccess` */
  readonly access: number;
}

/** What a list of rules comes to: a default, and the exceptions to it. */
export interface DevicePolicy {
  readonly defaultAllow: boolean;
  readonly exceptions: readonly DeviceException[];
}

/**
 * Applies OCI device rules in order, as the v1 controller would: `a` sets the default and forgets the exceptions; a rule against the default adds
 * to the exception with the same numbers; a rule that agrees with the default takes away from it. A new cgroup starts with everything allowed
 * (it inherits), so does this. InvalidArgument where a rule would cut a hole into a wildcard exception: v1 cannot express it and would ignore it.
 */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let defaultAllow = true;
  let exceptions = new Map<string, DeviceException>();
  for (const rule of rules) {
    const type = rule.type === undefined || rule.type === '' ? 'a' : rule.type;
    if (type === 'a') {
      defaultAllow = rule.allow;
      exceptions = new Map();
      continue;
    }
    if (type !== 'b' && type !== 'c') throw invalid(`invalid device type ${JSON.stringify(rule.type)}`);
    const major = deviceNumber(rule.major);
    const minor = deviceNumber(rule.minor);
    const access = accessBits(rule.access);
    const key = `${type} ${major ?? '*'}:${minor ?? '*'}`;
    const old = exceptions.get(key)?.access ?? 0;
    if (rule.allow !== defaultAllow) {
      exceptions.set(key, { type, major, minor, access: old | access });
      continue;
    }
    for (const other of exceptions.values()) {
      const wider = other.type === type && (other.major === undefined || other.major === major) && (other.minor === undefined || other.minor === minor);
      const same = other.major === major && other.minor === minor;
      if (wider && !same && (other.access & access) !== 0) throw invalid(`device rule ${key} cuts a hole into a wildcard rule`);
    }
    if ((old & ~access) === 0) exceptions.delete(key);
    else exceptions.set(key, { type, major, minor, access: old & ~access });
  }
  return { defaultAllow, exceptions: [...exceptions.values()] };
}

/** The exception as devices.allow and devices.deny want it: `c 1:* rwm`. */
export function deviceLine({ type, major, minor, access }: DeviceException): string {
  const letters = `${access & deviceAccess.read ? 'r' : ''}${access & deviceAccess.write ? 'w' : ''}${access & deviceAccess.mknod ? 'm' : ''}`;
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${letters}`;
}

function deviceNumber(value: number | undefined): number | undefined {
  if (value === undefined || value === -1) return undefined;
  if (!Number.isInteger(value) || value < 0 || value > 0x7fff_ffff) throw invalid(`invalid device number ${value}`);
  return value;
}

/** Absent: all. An `a`, which is a type, is nothing as an access, as runc has it. */
function accessBits(text: string | undefined): number {
  if (text === undefined || text === '') return deviceAccess.all;
  let bits = 0;
  for (const letter of text) {
    if (letter === 'r') bits |= deviceAccess.read;
    else if (letter === 'w') bits |= deviceAccess.write;
    else if (letter === 'm') bits |= deviceAccess.mknod;
    else if (letter !== 'a') throw invalid(`invalid device access ${JSON.stringify(text)}`);
  }
  return bits;
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel' } });
}
