import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isCode, StrakeError } from '../../base/index.ts';
import { isAlive, type ProcessIdentity } from '../state/process-identity.ts';
import type { StoredContainer } from '../state/store.ts';
import { cgroupCleanup } from './cgroup.ts';
import type { RuntimeContext } from './context.ts';
import { removeCgroups } from './create.ts';
import { containerStatus } from './status.ts';

const killTimeoutMs = 10_000;
const pollMs = 2;

/** Removes a stopped or only created container; with `force` a running one, after SIGKILL, and a missing one silently. */
export async function deleteContainer(context: RuntimeContext, id: string, force: boolean): Promise<void> {
  const { store } = context;
  let container: StoredContainer;
  try {
    container = store.load(id);
  } catch (error) {
    if (!isCode(error, 'NotFound')) throw error;
    // What a killed `create` left.
    store.remove(id);
    if (force) return;
    throw error;
  }
  const status = containerStatus(store, container);
  if (status !== 'stopped' && status !== 'created' && !force)
    throw new StrakeError('FailedPrecondition', `cannot delete container ${id} that is not stopped: ${status}`, { fields: { layer: 'runtime', id } });
  if (status !== 'stopped' && container.init !== undefined) await killAndWait(container.init);
  const present = [...container.cgroup.v1.map(({ dir }) => dir), ...(container.cgroup.v2 === undefined ? [] : [container.cgroup.v2])].some((dir) =>
    existsSync(dir),
  );
  if (present) removeCgroups(context, { cleanup: cgroupCleanup(container.cgroup.path) });
  store.remove(id);
}

/** The init is not our child: only its end in /proc tells. */
async function killAndWait(init: ProcessIdentity): Promise<void> {
  if (!isAlive(init)) return;
  process.kill(init.pid, 'SIGKILL');
  const deadline = performance.now() + killTimeoutMs;
  while (isAlive(init)) {
    if (performance.now() > deadline) throw new StrakeError('DeadlineExceeded', `process ${init.pid} did not end`, { fields: { layer: 'runtime' } });
    await delay(pollMs);
  }
}
