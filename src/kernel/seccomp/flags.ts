import { StrakeError } from '../../base/index.ts';
import type { LinuxSeccomp } from '../../oci/index.ts';

/** SECCOMP_FILTER_FLAG_* that a configuration may name (linux/seccomp.h). */
const byName: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};
const newListener = 8;
const tsyncEsrch = 16;

export const seccompFlags = Object.keys(byName);

/**
 * The flags to load a filter with. A rule that notifies asks for a listener. With no `flags` at all runc asks for SPEC_ALLOW, which
 * is the kernel's own default since Linux 5.16 (the mitigation slows some programs greatly); so does this.
 */
export function filterFlags(config: LinuxSeccomp): number {
  let flags = config.flags ? 0 : (byName['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] ?? 0);
  for (const name of config.flags ?? []) {
    const flag = Object.hasOwn(byName, name) ? byName[name] : undefined;
    if (flag === undefined) throw new StrakeError('InvalidArgument', `unknown seccomp flag ${JSON.stringify(name)}`, { fields: { layer: 'kernel' } });
    flags |= flag;
  }
  if ((config.syscalls ?? []).some((call) => call.action === 'SCMP_ACT_NOTIFY')) flags |= newListener | (flags & 1 ? tsyncEsrch : 0);
  return flags;
}
