import type { LinuxSeccomp } from '../../../oci/index.ts';
import type { SecurityDefaults } from './spec.ts';

const rememberedProfiles = 64;

/** The same profile object for the same capabilities, so that the runtime can keep what it compiled it to. */
export function rememberProfiles(security: SecurityDefaults): SecurityDefaults {
  const known = new Map<string, LinuxSeccomp>();
  return {
    ...security,
    seccomp(capabilities) {
      const key = capabilities.join(' ');
      const profile = known.get(key) ?? security.seccomp(capabilities);
      if (known.size >= rememberedProfiles) known.clear();
      known.set(key, profile);
      return profile;
    },
  };
}
