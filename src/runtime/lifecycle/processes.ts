import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { StrakeError } from '../../base/index.ts';
import { allDirectories, cgroupPids } from '../../kernel/index.ts';
import { isAlive } from '../state/process-identity.ts';
import type { StoredContainer } from '../state/store.ts';

/**
 * Host pids of a container's processes: those in its cgroup, or where an ordinary user got it none, those in its pid namespace. FailedPrecondition
 * when it has neither.
 */
export async function containerPids({ id, cgroup, init, privatePids }: StoredContainer): Promise<readonly number[]> {
  if (allDirectories(cgroup).some((dir) => existsSync(dir))) return await cgroupPids(cgroup);
  if (init === undefined || !isAlive(init)) return [];
  if (privatePids) return pidsInNamespaceOf(init.pid);
  throw new StrakeError('FailedPrecondition', 'cannot tell its processes: the container has neither a cgroup nor a pid namespace of its own', {
    fields: { layer: 'runtime', id },
  });
}

function pidsInNamespaceOf(pid: number): readonly number[] {
  const namespace = pidNamespace(pid);
  if (namespace === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => pidNamespace(other) === namespace)
    .sort((a, b) => a - b);
}

/** Undefined for a process that has ended, and for one of somebody else's. */
function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}
