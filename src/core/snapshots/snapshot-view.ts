import { randomId } from '../../base/index.ts';
import type { SnapshotMount, Snapshotter } from './snapshots.ts';

/** What a committed snapshot shows; keeps it, and those below it, from being removed until it is disposed of. */
export interface SnapshotView extends AsyncDisposable {
  readonly mount: SnapshotMount;
}

/** Keys of views that end with the work that made them. */
export const viewPrefix = 'view-';

/** Of nothing: an empty tree. */
export async function viewSnapshot(snapshots: Snapshotter, parent: string | undefined): Promise<SnapshotView> {
  const key = `${viewPrefix}${randomId()}`;
  const mount = await snapshots.view(key, parent);
  return { mount, [Symbol.asyncDispose]: async () => await snapshots.remove(key) };
}
