import type { NamespacedCore, Snapshotter } from '../../core/index.ts';

/** Longer than any creation, and not for ever: a daemon that is killed in the middle leaves the lease. */
const leaseMs = 3_600_000;

export interface CreationLease extends AsyncDisposable {
  /** What is made by it is kept until this is disposed of. */
  readonly snapshots: Snapshotter;
}

/** Keeps what is made for a container from the garbage collection, until its record names it. */
export async function creationLease({ leaseStore, withLease }: Pick<NamespacedCore, 'leaseStore' | 'withLease'>, containerId: string): Promise<CreationLease> {
  const { id } = await leaseStore.create({
    id: `container-${containerId}`,
    labels: { 'containerd.io/gc.expire': new Date(Date.now() + leaseMs).toISOString() },
  });
  return { snapshots: withLease(id).snapshots, [Symbol.asyncDispose]: async () => await leaseStore.delete(id) };
}
