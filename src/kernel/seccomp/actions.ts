import { StrakeError } from '../../base/index.ts';

const eperm = 1;

/** SECCOMP_RET_* (linux/seccomp.h). */
export const returnValues = {
  killProcess: 0x8000_0000,
  killThread: 0x0000_0000,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  notify: 0x7fc0_0000,
  trace: 0x7ff0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const;

const byName: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: returnValues.killThread,
  SCMP_ACT_KILL_THREAD: returnValues.killThread,
  SCMP_ACT_KILL_PROCESS: returnValues.killProcess,
  SCMP_ACT_TRAP: returnValues.trap,
  SCMP_ACT_ERRNO: returnValues.errno,
  SCMP_ACT_TRACE: returnValues.trace,
  SCMP_ACT_ALLOW: returnValues.allow,
  SCMP_ACT_LOG: returnValues.log,
  SCMP_ACT_NOTIFY: returnValues.notify,
};

export const seccompActions = Object.keys(byName);

/** The filter's return value for an action; errno and trace carry a number, EPERM when none is given. */
export function returnValue(action: string, errnoRet: number | undefined): number {
  const base = Object.hasOwn(byName, action) ? byName[action] : undefined;
  if (base === undefined) throw invalid(`string ${action} is not a valid action for seccomp`);
  if (base !== returnValues.errno && base !== returnValues.trace) {
    if (errnoRet) throw invalid(`seccomp action ${action} cannot have an errnoRet`);
    return base;
  }
  const data = errnoRet ?? eperm;
  if (!Number.isInteger(data) || data < 0 || data > 0xffff) throw invalid(`invalid seccomp errnoRet ${errnoRet}`);
  return base | data;
}

/** The kernel's own order of actions: lower is stricter (seccomp(2); the action compared as a signed number). */
export function strictness(value: number): number {
  return (value & 0xffff_0000) | 0;
}

/** Lets the call through, or leaves it to a tracer that answers for calls it does not know. */
export function isPermissive(value: number): boolean {
  return strictness(value) >= strictness(returnValues.trace);
}

function invalid(message: string): StrakeError {
  return new StrakeError('InvalidArgument', message, { fields: { layer: 'kernel', field: 'linux.seccomp' } });
}
