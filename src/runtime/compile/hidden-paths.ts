import path from 'node:path';
import type { Op } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { invalid } from './error.ts';
import type { NamespacePlan } from './namespaces.ts';

/** Paths inside the root that become read-only, then those that are hidden. Each once: a second cover would hide nothing more (runc). */
export function hiddenPathOps({ linux }: RuntimeSpec, namespaces: NamespacePlan): readonly Op[] {
  const readonly = once(linux?.readonlyPaths);
  const masked = once(linux?.maskedPaths);
  if (readonly.length + masked.length > 0 && !namespaces.has('mount'))
    throw invalid('linux.maskedPaths', 'unable to restrict sys entries without a private MNT namespace');
  return [
    ...readonly.map((target): Op => ({ op: 'readonly_path', side: 'init', path: target })),
    ...masked.map((target): Op => ({ op: 'mask_path', side: 'init', path: target })),
  ];
}

function once(paths: readonly string[] | undefined): readonly string[] {
  return [...new Set((paths ?? []).map((given) => path.posix.resolve('/', given)))];
}
