import { setTimeout as delay } from 'node:timers/promises';
import type { StateStore, StoredContainer } from '../state/store.ts';
import { isBeingMade } from './status.ts';

const patienceMs = 2_000;
const pollMs = 1;

/**
 * A container, for what needs its process. Who hears from the process may be quicker than the `run` that has let it go is at writing down which one it is:
 * that is waited for. What is in the making for longer comes as it is, without an init. NotFound when there is none.
 */
export async function loadMade(store: StateStore, id: string): Promise<StoredContainer> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const container = store.load(id);
    if (!isBeingMade(container) || performance.now() > deadline) return container;
    await delay(pollMs);
  }
}
