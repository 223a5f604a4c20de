import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { killOperations } from '../compile/prepared.ts';
import { identityOf, type ProcessIdentity } from '../state/process-identity.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';

/**
 * Ends what is left of a `create` that was killed, or is killed here, before it could write down its init: the front, what it has started, and an
 * init that waits for its start. What sits in the container's cgroup the removal of that ends.
 */
export function endCreation({ store, launcher }: RuntimeContext, { id, creator }: StoredContainer): void {
  const started = creator === undefined ? [] : [creator, ...childrenOf(creator)];
  launcher.run(started.flatMap(killOperations));
  launcher.run(holdersOf(store.startFifo(id)).flatMap(killOperations));
}

/** proc_pid_task(5), `children`; empty where the kernel does not say (CONFIG_PROC_CHILDREN). */
function childrenOf({ pid }: ProcessIdentity): readonly ProcessIdentity[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')
      .split(' ')
      .filter((text) => text !== '')
      .flatMap((text) => identityOf(Number(text)) ?? []);
  } catch {
    return [];
  }
}

/** Processes that have the file open. */
function holdersOf(file: string): readonly ProcessIdentity[] {
  const wanted = statSync(file, { throwIfNoEntry: false });
  if (wanted === undefined) return [];
  const name = file.slice(file.lastIndexOf('/'));
  return readdirSync('/proc').flatMap((pid) => {
    const identity = /^\d+$/.test(pid) ? identityOf(Number(pid)) : undefined;
    return identity !== undefined && holds(identity.pid, name, wanted) ? [identity] : [];
  });
}

function holds(pid: number, name: string, { dev, ino }: { readonly dev: number; readonly ino: number }): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const link = `/proc/${pid}/fd/${fd}`;
      // By name first: a stat may wait for a dead file server.
      if (!readlinkSync(link).endsWith(name)) return false;
      const stat = statSync(link);
      return stat.dev === dev && stat.ino === ino;
    });
  } catch {
    // It has gone, or is another user's.
    return false;
  }
}
