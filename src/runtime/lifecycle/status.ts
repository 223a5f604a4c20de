import { existsSync } from 'node:fs';
import { readFreezer } from '../../kernel/index.ts';
import type { ContainerStatus } from '../../oci/index.ts';
import { isAlive } from '../state/process-identity.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';

/** The kernel is asked each time: nothing stays to write a change down. A created container that is frozen is paused, as in runc. */
export function containerStatus(store: StateStore, container: StoredContainer): ContainerStatus {
  if (container.init === undefined) return isBeingMade(container) ? 'creating' : 'stopped';
  if (!isAlive(container.init)) return 'stopped';
  if (isFrozen(container)) return 'paused';
  return existsSync(store.startFifo(container.id)) ? 'created' : 'running';
}

/** A `create` that was killed will never have an init. */
export function isBeingMade({ init, creator }: StoredContainer): boolean {
  return init === undefined && creator !== undefined && isAlive(creator);
}

/** One that is still being frozen is so already; without a freezer, or without the right to look, none is. */
function isFrozen({ cgroup }: StoredContainer): boolean {
  try {
    return ['frozen', 'freezing'].includes(readFreezer(cgroup) ?? 'thawed');
  } catch {
    return false;
  }
}
