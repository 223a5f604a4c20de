import { readFileSync } from 'node:fs';
import { invalid } from '../refusals.ts';

/** A mount of the machine, and how it propagates (proc_pid_mountinfo(5)). */
interface MountPoint {
  readonly target: string;
  readonly isShared: boolean;
  readonly isSlave: boolean;
}

/** The mount that a path is on. */
function mountOf(path: string): MountPoint {
  let found: MountPoint = { target: '/', isShared: false, isSlave: false };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const fields = line.split(' ');
    const target = fields[4]?.replace(/\\([0-7]{3})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
    if (target === undefined) continue;
    if (target !== '/' && path !== target && !path.startsWith(`${target}/`)) continue;
    // Of two on one place the later one is on top.
    if (target.length < found.target.length) continue;
    const optional = fields.slice(6, fields.indexOf('-'));
    found = { target, isShared: optional.some((tag) => tag.startsWith('shared:')), isSlave: optional.some((tag) => tag.startsWith('master:')) };
  }
  return found;
}

/** Mounts made on either side are to be seen on the other. */
export function checkShared(path: string): void {
  const { target, isShared } = mountOf(path);
  if (!isShared) throw invalid(`path ${JSON.stringify(path)} is mounted on ${JSON.stringify(target)} but it is not a shared mount`);
}

/** Mounts made on the machine are to be seen in the container. */
export function checkReceiving(path: string): void {
  const { target, isShared, isSlave } = mountOf(path);
  if (!isShared && !isSlave) throw invalid(`path ${JSON.stringify(path)} is mounted on ${JSON.stringify(target)} but it is not a shared or slave mount`);
}
