import { readFileSync } from 'node:fs';
import type { RuntimeSpec } from '../oci/index.ts';
import { parentMountMatters } from './compile/root-propagation.ts';

/** The option `rootfsParentMount` of compileCreate for a root at `directory`: read only where the configuration's propagation needs it. */
export function rootfsParentMount(spec: RuntimeSpec, directory: string): { readonly rootfsParentMount?: string } {
  return parentMountMatters(spec) ? { rootfsParentMount: mountOf(directory) } : {};
}

/** The mount point that holds `directory` (proc_pid_mountinfo(5), field 5). */
function mountOf(directory: string): string {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((point) => point !== '' && (directory === point || directory.startsWith(point === '/' ? '/' : `${point}/`)));
  return points.reduce((longest, point) => (point.length >= longest.length ? point : longest), '/');
}
