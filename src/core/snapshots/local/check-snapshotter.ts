import { StrakeError } from '../../../base/index.ts';
import type { MetadataDatabase } from '../../metadata/index.ts';

export const snapshotterNames = ['overlayfs', 'native'] as const;
export type SnapshotterName = (typeof snapshotterNames)[number];

/** 1: the snapshots are native's. Without it they are overlayfs's. */
const fact = 'snapshotter is native';

/** The files of one snapshotter are nothing to the other. FailedPrecondition when the data root has those of the other. */
export function checkSnapshotter(db: MetadataDatabase, wanted: SnapshotterName): void {
  const own = db.get('select value from facts where name = ?', fact)?.['value'] === 1 ? 'native' : 'overlayfs';
  if (own === wanted) return;
  if (db.get('select 1 from snapshots limit 1'))
    throw new StrakeError('FailedPrecondition', `the data root has snapshots of ${own}, not of ${wanted}`, {
      fields: { layer: 'core', remedy: `use --storage-driver ${own}, or another --data-root` },
    });
  db.run('insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value', fact, wanted === 'native' ? 1 : 0);
}
