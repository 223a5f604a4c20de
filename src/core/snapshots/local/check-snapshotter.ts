import { StrakeError } from '../../../base/index.ts';
import { type MetadataDatabase, textOf } from '../../metadata/index.ts';

export const snapshotterNames = ['overlayfs', 'native'] as const;
export type SnapshotterName = (typeof snapshotterNames)[number];

/** The files of one snapshotter are nothing to the other. FailedPrecondition when the namespace has those of the other. */
export function checkSnapshotter(db: MetadataDatabase, namespace: string, wanted: SnapshotterName): void {
  const row = db.get('select snapshotter from snapshots where namespace = ? and snapshotter != ? limit 1', namespace, wanted);
  if (row === undefined || db.get('select 1 from snapshots where namespace = ? and snapshotter = ? limit 1', namespace, wanted)) return;
  const own = textOf(row, 'snapshotter');
  throw new StrakeError('FailedPrecondition', `the data root has snapshots of ${own}, not of ${wanted}`, {
    fields: { layer: 'core', remedy: `use --storage-driver ${own}, or another --data-root` },
  });
}
