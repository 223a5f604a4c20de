import path from 'node:path';
import type { Mount } from '../../oci/index.ts';
import { invalid } from './error.ts';

/**
 * Where a mount goes, as a path in the container. A relative destination is one below / (runc warns of it, and so do we); one that is written as a
 * path of the host below the root directory is meant inside of it.
 */
export function mountTarget(field: string, { destination }: Mount, rootPath: string | undefined, warn: (message: string) => void): string {
  if (!destination.startsWith('/'))
    warn(`${field}: mount destination ${destination} is not absolute. Support for non-absolute mount destinations will be removed in a future release.`);
  const target = path.posix.resolve('/', destination);
  return rootPath !== undefined && rootPath !== '/' && target.startsWith(`${rootPath}/`) ? target.slice(rootPath.length) : target;
}

/** Files of /proc that lxcfs and others cover; nothing else may be mounted over the container's procfs (CVE-2019-16884; runc's list). */
const coverableProcFiles = new Set(
  ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo', 'sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'].map(
    (name) => `/proc/${name}`,
  ),
);

/** A bind on /proc itself has to be one of a procfs, which the operation looks at. */
export function checkProcTarget(field: string, target: string, mount: Mount, isBind: boolean): void {
  if (target === '/proc' && mount.type !== 'proc' && !isBind) throw invalid(field, `"${mount.destination}" cannot be mounted because it is not of type proc`);
  if (target.startsWith('/proc/') && !coverableProcFiles.has(target))
    throw invalid(field, `"${mount.destination}" cannot be mounted because it is inside /proc`);
}
