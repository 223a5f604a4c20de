import os from 'node:os';
import type { SecurityDefaults } from '../../engine/containers/index.ts';
import { capabilityNames, defaultMaskedPaths, defaultReadonlyPaths, type readMachine } from '../../runtime/index.ts';
import { defaultSeccompProfile, parseSeccompProfile, resolveSeccompProfile } from '../../runtime/seccomp-profile/index.ts';

type Machine = ReturnType<typeof readMachine>;

/** The runtime's defaults, as the Engine asks for them. */
export function securityDefaults(machine: Machine): SecurityDefaults {
  const target = (capabilities: readonly string[]) => ({ capabilities, arch: machine.arch, kernelVersion: os.release() });
  return {
    maskedPaths: defaultMaskedPaths,
    readonlyPaths: defaultReadonlyPaths,
    seccomp: (capabilities) => defaultSeccompProfile(target(capabilities)),
    parseSeccomp(json, capabilities) {
      const profile = parseSeccompProfile(json);
      // Docker takes an empty profile for none.
      return profile === undefined ? { defaultAction: 'SCMP_ACT_ALLOW' } : resolveSeccompProfile(profile, target(capabilities));
    },
  };
}

/** The bounding set by name: what this machine can give to a privileged container. */
export function availableCapabilities(machine: Machine): readonly string[] {
  return capabilityNames.filter((_name, bit) => (machine.boundingSet >> BigInt(bit)) % 2n === 1n);
}
