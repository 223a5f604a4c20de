import type { ContainerStatus } from '../../oci/index.ts';
import type { StateStore, StoredContainer } from '../state/store.ts';
import { containerStatus } from './status.ts';

/** What `state` and `list --format json` print: the specification's State and runc's additions, in runc's order. */
export interface PrintedState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: ContainerStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function readState(store: StateStore, id: string): PrintedState {
  return printedState(store, store.load(id));
}

/** Every container that was created to its end; an entry that vanishes meanwhile is left out. */
export function listStates(store: StateStore): readonly PrintedState[] {
  return store.list().flatMap((id) => {
    try {
      return [readState(store, id)];
    } catch {
      return [];
    }
  });
}

function printedState(store: StateStore, container: StoredContainer): PrintedState {
  const status = containerStatus(store, container);
  const { ociVersion, id, bundle, rootfs, created, annotations, owner } = container;
  return {
    ociVersion,
    id,
    pid: status === 'stopped' ? 0 : (container.init?.pid ?? 0),
    status,
    bundle,
    rootfs,
    created,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    owner,
  };
}
