import type { RuntimeSpec } from '../../oci/index.ts';
import { cannotHonour } from './error.ts';

/** Fields that would be silently ignored otherwise. */
export function rejectUnsupported({ linux }: RuntimeSpec): void {
  const checks: readonly (readonly [string, boolean, string])[] = [['linux.intelRdt', linux?.intelRdt !== undefined, 'resctrl is not supported']];
  for (const [field, present, why] of checks) if (present) throw cannotHonour(field, why);
}
