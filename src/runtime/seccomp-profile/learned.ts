import type { RecordedCalls } from '../../kernel/index.ts';
import type { LinuxSeccomp, SeccompSyscall } from '../../oci/index.ts';

const allow = 'SCMP_ACT_ALLOW';
/** What a call gets that was not seen: EPERM, as from Docker's default profile. */
const eperm = 1;

/**
 * The smallest profile that allows what was recorded, as OCI and Docker both read it. `own` is the filter that the container had meanwhile: where it allows a
 * call under conditions alone, so does the profile; what it refuses with an errno of its own keeps that (a libc goes on after ENOSYS, and gives up after EPERM).
 */
export function learnedProfile({ architectures, names }: RecordedCalls, own: LinuxSeccomp | undefined): LinuxSeccomp {
  const rules = own?.syscalls ?? [];
  const conditions = new Map<string, SeccompSyscall[]>();
  for (const name of names) {
    const allowing = rules.filter((rule) => rule.action === allow && rule.names.includes(name));
    if (allowing.length > 0 && allowing.every(({ args }) => (args ?? []).length > 0)) conditions.set(name, allowing);
  }
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: eperm,
    architectures,
    syscalls: [
      { names: names.filter((name) => !conditions.has(name)), action: allow },
      ...[...conditions].flatMap(([name, allowing]) => allowing.map((rule) => ({ ...rule, names: [name] }))),
      ...rules.filter(({ action, errnoRet }) => action === 'SCMP_ACT_ERRNO' && errnoRet !== undefined && errnoRet !== eperm),
    ],
  };
}
