import { readFileSync } from 'node:fs';

/** Whether something is mounted right there, in the mount namespace of this process. `path` is absolute and without links. */
export function isMountPoint(path: string): boolean {
  return mountPoints().includes(path);
}

/** All mount points (proc(5), /proc/PID/mountinfo, the fifth field), in the order in which they were mounted. */
export function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((field) => field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}
