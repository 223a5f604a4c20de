import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../../base/index.ts';
import { freezeOperations, readFreezer } from '../../kernel/index.ts';
import type { RuntimeContext } from './context.ts';
import { loadMade } from './load-made.ts';
import { notRunning } from './not-running.ts';
import { containerStatus } from './status.ts';

const timeoutMs = 5_000;
const pollMs = 1;

/** Freezes (`pause`) or thaws (`resume`) every process of the container; returns when the kernel says that all are. */
export async function setFrozen({ store, launcher }: RuntimeContext, id: string, frozen: boolean): Promise<void> {
  const container = await loadMade(store, id);
  const status = containerStatus(store, container);
  if (frozen && status !== 'running' && status !== 'created') throw notRunning(id);
  if (!frozen && status !== 'paused') throw refuse(id, 'container not paused');
  const operations = freezeOperations(container.cgroup, frozen);
  if (operations.length === 0) throw refuse(id, 'cannot toggle freezer: cgroups not configured for container');
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // v1 freezes anew on each write: a process that forks meanwhile may have slipped through (freezer-subsystem.rst).
    launcher.run(operations);
    const state = readFreezer(container.cgroup);
    if (state === undefined) throw notRunning(id);
    if (state === (frozen ? 'frozen' : 'thawed')) return;
    if (performance.now() > deadline) break;
    await delay(pollMs);
  }
  // Half frozen is no state to be left in.
  if (frozen) launcher.run(freezeOperations(container.cgroup, false));
  throw new StrakeError('DeadlineExceeded', `unable to ${frozen ? 'freeze' : 'thaw'}`, { fields: { layer: 'runtime', id } });
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
