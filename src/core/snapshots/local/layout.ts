import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
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
  make(place: Place, parent: string | undefined): void | Promise<void>;
  /** `below` is the files of all below it, uppermost first. */
  mount(place: Place, below: readonly string[]): SnapshotMount;
  /** Whether it can show what lies below with other owners. */
  readonly mapsIds: boolean;
  /** Snapshots that may lie below one. */
  readonly maxBelow: number;
}

/** At once, as all that makes a snapshot's few directories: the way through a thread and back takes ten times as long as each of these calls. */
export function makeFiles({ files }: Place): void {
  mkdirSync(files, { mode: 0o755 });
  chmodSync(files, 0o755);
}

/** The root directory of a container's own layer is what `/` looks like: it takes after the layer below, as it is shown. */
export function copyRoot(from: string, to: string, idMap?: IdMap): void {
  const { mode, uid, gid } = lstatSync(from);
  if (idMap === undefined) chownSync(to, uid, gid);
  else chownSync(to, mapId(idMap.uids, uid), mapId(idMap.gids, gid));
  chmodSync(to, mode & 0o7777);
}
