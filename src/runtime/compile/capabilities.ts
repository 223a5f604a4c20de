import type { CapabilitiesSpec } from '../../oci/index.ts';
import { capabilityNames } from './linux-numbers.ts';

/** The five sets as bit masks. */
export interface CapabilityMasks {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

const bits: ReadonlyMap<string, bigint> = new Map(capabilityNames.map((name, index) => [name, 1n << BigInt(index)]));

/**
 * The sets that the process gets. Capabilities that this program does not know or that the machine's bounding set lacks are
 * left out and reported once each, as Docker and runc do: capset(2) would refuse the whole set otherwise.
 */
export function capabilityMasks(spec: CapabilitiesSpec | undefined, machineBounding: bigint, warn: (message: string) => void): CapabilityMasks {
  const missing = new Set<string>();
  const mask = (names: readonly string[] = []): bigint => {
    let sum = 0n;
    for (const name of names) {
      const bit = bits.get(name.toUpperCase());
      if (bit === undefined || (machineBounding & bit) === 0n) missing.add(name);
      else sum |= bit;
    }
    return sum;
  };
  const permitted = mask(spec?.permitted);
  const masks = {
    bounding: mask(spec?.bounding),
    // The kernel refuses effective bits outside of the permitted set, and ambient ones outside of permitted and inheritable.
    effective: mask(spec?.effective) & permitted,
    permitted,
    inheritable: mask(spec?.inheritable),
    ambient: 0n,
  };
  const asked = mask(spec?.ambient);
  const ambient = asked & permitted & masks.inheritable;
  for (const [name, bit] of bits) if ((asked & ~ambient & bit) !== 0n) warn(`can't raise ambient capability ${name}: operation not permitted`);
  if (missing.size > 0) warn(`ignoring unknown or unavailable capabilities: [${[...missing].sort().join(' ')}]`);
  return { ...masks, ambient };
}
