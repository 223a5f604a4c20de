import { readFileSync } from 'node:fs';

/** A mount in the mount namespace of this process (proc_pid_mountinfo(5)). */
export interface Mount {
  readonly target: string;
  /** How it propagates: `shared:1`, `master:2`. */
  readonly tags: readonly string[];
}

/** All of them, in the order in which they were mounted. */
export function readMounts(): readonly Mount[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const fields = line.split(' ');
      // Spaces and the like are octal there.
      const target = fields[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return target === undefined ? [] : [{ target, tags: fields.slice(6, fields.indexOf('-')) }];
    });
}

/** Whether something is mounted right there. `path` is absolute and without links. */
export function isMountPoint(path: string): boolean {
  return readMounts().some(({ target }) => target === path);
}

/** The mount that a path is on. */
export function mountOf(path: string): Mount {
  const holding = readMounts().filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`));
  // Of two on one place the later one is on top.
  return holding.reduce((found, mount) => (mount.target.length >= found.target.length ? mount : found), { target: '/', tags: [] });
}
