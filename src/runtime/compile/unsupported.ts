import type { RuntimeSpec } from '../../oci/index.ts';
import { cannotHonour } from './error.ts';

/** Fields that would be silently ignored otherwise. */
export function rejectUnsupported({ linux }: RuntimeSpec): void {
  const checks: readonly (readonly [string, boolean, string])[] = [
    ['linux.intelRdt', linux?.intelRdt !== undefined, 'resctrl is not supported'],
    ['linux.memoryPolicy', linux?.memoryPolicy !== undefined, 'memory policies are not supported'],
    ['linux.netDevices', Object.keys(linux?.netDevices ?? {}).length > 0, 'moving network devices is not supported'],
  ];
  for (const [field, present, why] of checks) if (present) throw cannotHonour(field, why);
}
