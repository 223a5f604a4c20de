import { readFileSync } from 'node:fs';

/** A process beyond the reuse of its number: the pid and field 22 of /proc/PID/stat, in clock ticks since boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

/** The process's state letter (proc_pid_stat(5)) while it is this very process, else undefined. A zombie is `Z`. */
export function processState({ pid, startTime }: ProcessIdentity): string | undefined {
  const stat = readStat(pid);
  return stat !== undefined && stat.startTime === startTime ? stat.state : undefined;
}

export function isAlive(identity: ProcessIdentity): boolean {
  const state = processState(identity);
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Undefined when it is gone. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && { pid, startTime: stat.startTime };
}

export function readStat(pid: number): { readonly state: string; readonly startTime: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}
