import { StrakeError } from '../../base/index.ts';

/** SECCOMP_FILTER_FLAG_* that a configuration may name (linux/seccomp.h). TSYNC is taken and changes nothing, as in runc: the process has one thread. */
const byName: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};
const newListener = 8;

export const seccompFlags = Object.keys(byName);

/**
 * The flags to load a filter with. A rule that notifies asks for a listener. With no `flags` at all runc asks for SPEC_ALLOW, which
 * is the kernel's own default since Linux 5.16 (the mitigation slows some programs greatly); so does this, as runc does when nothing notifies.
 */
export function filterFlags(names: readonly string[] | undefined, notifies: boolean): number {
  let flags = names ? 0 : (byName['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] ?? 0);
  for (const name of names ?? []) {
    const flag = Object.hasOwn(byName, name) ? byName[name] : undefined;
    if (flag === undefined) throw invalid(`seccomp flag ${name} is not known to runc`);
    flags |= flag;
  }
  if (!notifies && (flags & 32) !== 0) throw invalid('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY');
  return notifies ? flags | newListener : flags;
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel', field: 'linux.seccomp.flags' } });
}
