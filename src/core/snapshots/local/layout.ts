import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import type { IdMap } from '../../../runtime/index.ts';
import type { SnapshotKind, SnapshotMount, Snapshotter } from '../snapshots.ts';
import { mapId } from './id-map.ts';

/** Host directories of one snapshot. */
export interface Place {
  readonly files: string;
  readonly work: string;
  readonly kind: SnapshotKind;
  /** Other owners for what lies below. */
  readonly idMap: IdMap | undefined;
}

/** How a snapshotter lays its files out: what differs between one that stacks directories and one that copies them. */
export interface SnapshotLayout extends Pick<Snapshotter, 'name' | 'unpacksApart'> {
  readonly whiteouts: 'overlay' | 'plain';
  /** Makes the directories of a new snapshot; `parent` is the files of the one below. */
  make(place: Place, parent: string | undefined): Promise<void>;
  /** `below` is the files of all below it, uppermost first. */
  mount(place: Place, below: readonly string[]): SnapshotMount;
  /** Whether it can show what lies below with other owners. */
  readonly mapsIds: boolean;
  /** Snapshots that may lie below one. */
  readonly maxBelow: number;
}

export async function makeFiles({ files }: Place): Promise<void> {
  await mkdir(files, { mode: 0o755 });
  await chmod(files, 0o755);
}

/** The root directory of a container's own layer is what `/` looks like: it takes after the layer below, as it is shown. */
export async function copyRoot(from: string, to: string, idMap?: IdMap): Promise<void> {
  const { mode, uid, gid } = await lstat(from);
  if (idMap === undefined) await chown(to, uid, gid);
  else await chown(to, mapId(idMap.uids, uid), mapId(idMap.gids, gid));
  await chmod(to, mode & 0o7777);
}
