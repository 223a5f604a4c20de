import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Delegation } from '../../kernel/index.ts';
import type { IdMapping, RuntimeSpec } from '../../oci/index.ts';

/** What may be given away, one name a line (since 4.15; cgroups(7), "Cgroups delegation: delegating a hierarchy"). */
const delegateFile = '/sys/kernel/cgroup/delegate';

/**
 * A container that sees its cgroup alone, and may write to it, owns it: the user of its process does. undefined where it cannot, or is root anyway.
 * runc's rule.
 */
export function cgroupDelegation(spec: RuntimeSpec): Delegation | undefined {
  const { linux, mounts = [], process } = spec;
  const hasPrivateTree = linux?.namespaces?.some(({ type, path: joined }) => type === 'cgroup' && !joined) ?? false;
  const isWritable = mounts.some(
    ({ source, destination, options = [] }) => source === 'cgroup' && path.posix.normalize(destination) === '/sys/fs/cgroup' && !options.includes('ro'),
  );
  if (!hasPrivateTree || !isWritable) return undefined;
  const uid = hostId(process?.user?.uid ?? 0, linux?.uidMappings);
  return uid === undefined || uid === 0 ? undefined : { uid, files: readDelegate() };
}

/** undefined for an id that is not mapped. */
function hostId(id: number, mappings: readonly IdMapping[] | undefined): number | undefined {
  if (!mappings?.length) return id;
  const found = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return found && found.hostID + (id - found.containerID);
}

function readDelegate(): readonly string[] {
  try {
    return readFileSync(delegateFile, 'latin1').trim().split('\n');
  } catch {
    // Before 4.15 there was no list, and these were all.
    return ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];
  }
}
