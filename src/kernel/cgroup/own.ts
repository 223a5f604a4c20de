import { readFileSync } from 'node:fs';

/** Where a process is in each hierarchy: by controller, by `name=…` for a named one, by the empty name for the v2 tree (proc_pid_cgroup(5)). */
export type OwnCgroups = ReadonlyMap<string, string>;

export function parseOwnCgroups(text: string): OwnCgroups {
  const own = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, , names, cgroup] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (names !== undefined && cgroup !== undefined) for (const name of names.split(',')) own.set(name, cgroup);
  }
  return own;
}

/** Of this process, or of PID as the host counts. */
export function readOwnCgroups(pid: number | 'self' = 'self'): OwnCgroups {
  return parseOwnCgroups(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
}
