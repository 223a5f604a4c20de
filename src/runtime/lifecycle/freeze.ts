import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StrakeError } from '../../base/index.ts';
import type { StoredContainer } from '../state/store.ts';
import type { RuntimeContext } from './context.ts';
import { containerStatus } from './status.ts';

const timeoutMs = 5_000;
const pollMs = 1;

/** Freezes (`pause`) or thaws (`resume`) every process of the container; returns when the kernel says that all are. */
export async function setFrozen({ store }: RuntimeContext, id: string, frozen: boolean): Promise<void> {
  const container = store.load(id);
  const status = containerStatus(store, container);
  if (frozen && status !== 'running' && status !== 'created') throw refuse(id, `container not running or created: ${status}`);
  if (!frozen && status !== 'paused') throw refuse(id, 'container not paused');
  const { write, file, value, isDone } = freezer(container.cgroup, frozen);
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // v1 freezes anew on each write: a process that forks meanwhile may have slipped through (freezer-subsystem.rst).
    writeFileSync(write, value);
    if (isDone(readFileSync(file, 'latin1'))) return;
    if (performance.now() > deadline)
      throw new StrakeError('DeadlineExceeded', `container ${id} did not ${frozen ? 'freeze' : 'thaw'}`, { fields: { layer: 'runtime' } });
    await delay(pollMs);
  }
}

function freezer({ v1, v2 }: StoredContainer['cgroup'], frozen: boolean) {
  // The v2 freezer where there is one: processes that it holds can still be killed.
  if (v2 !== undefined) {
    const value = frozen ? '1' : '0';
    return { write: `${v2}/cgroup.freeze`, file: `${v2}/cgroup.events`, value, isDone: (text: string) => new RegExp(`^frozen ${value}$`, 'm').test(text) };
  }
  const legacy = v1.find(({ name }) => name === 'freezer');
  if (legacy === undefined) throw new StrakeError('FailedPrecondition', 'this machine has no freezer cgroup', { fields: { layer: 'runtime' } });
  const value = frozen ? 'FROZEN' : 'THAWED';
  return { write: `${legacy.dir}/freezer.state`, file: `${legacy.dir}/freezer.state`, value, isDone: (text: string) => text.trim() === value };
}

function refuse(id: string, message: string): StrakeError {
  return new StrakeError('FailedPrecondition', message, { fields: { layer: 'runtime', id } });
}
