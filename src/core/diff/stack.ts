import type { SnapshotMount } from '../snapshots/snapshots.ts';

/** The directories of a snapshot, uppermost first: what a mount of it shows, with the writable one as one more layer. */
export function stackOf(mount: SnapshotMount): readonly string[] {
  if (mount.type === 'bind') return [mount.source];
  return mount.upper === undefined ? mount.lowers : [mount.upper, ...mount.lowers];
}
