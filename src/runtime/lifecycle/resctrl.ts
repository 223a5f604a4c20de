import { existsSync, readFileSync } from 'node:fs';
import type { IntelRdt } from '../../oci/index.ts';
import type { Resctrl } from '../compile/resctrl.ts';

/** What the machine has of resctrl; read only for a container that asks for it. */
export function readResctrl({ closID = '' }: IntelRdt): Resctrl | undefined {
  const root = mountpoint(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (root === undefined) return undefined;
  return {
    root,
    cache: existsSync(`${root}/info/L3`),
    bandwidth: existsSync(`${root}/info/MB`),
    groupExists: closID !== '' && existsSync(`${root}/${closID}`),
  };
}

/** proc_pid_mountinfo(5): the mount point is the fifth field, the type the first behind the dash. */
function mountpoint(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) if (/ - resctrl /.test(line)) return line.split(' ')[4];
  return undefined;
}
