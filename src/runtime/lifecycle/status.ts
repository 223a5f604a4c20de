import { existsSync, readFileSync } from 'node:fs';
import type { ContainerStatus } from '../../oci/index.ts';
import { isAlive } from '../state/process-identity.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';

/** The kernel is asked each time: nothing stays to write a change down. */
export function containerStatus(store: StateStore, container: StoredContainer): ContainerStatus {
  // A `create` that was killed will never have an init.
  if (container.init === undefined) return container.creator !== undefined && isAlive(container.creator) ? 'creating' : 'stopped';
  if (!isAlive(container.init)) return 'stopped';
  if (existsSync(store.startFifo(container.id))) return 'created';
  return isFrozen(container.cgroup) ? 'paused' : 'running';
}

function isFrozen({ v1, v2 }: StoredContainer['cgroup']): boolean {
  if (v2 !== undefined) return readFirst(`${v2}/cgroup.freeze`) === '1';
  const freezer = v1.find(({ name }) => name === 'freezer');
  return freezer !== undefined && readFirst(`${freezer.dir}/freezer.state`) !== 'THAWED';
}

function readFirst(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return 'THAWED';
  }
}
