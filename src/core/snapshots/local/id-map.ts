import { StrakeError } from '../../../base/index.ts';
import type { IdMap } from '../../../runtime/index.ts';
import { mappingLabels } from '../snapshots.ts';

/** The kernel's limit of lines in a map (UID_GID_MAP_MAX_EXTENTS, include/linux/user_namespace.h), and of an id. */
const maxExtents = 340;
const maxId = 0xffff_fffe;

interface Extent {
  readonly inside: number;
  readonly outside: number;
  readonly size: number;
}

/** What a snapshot's labels say of ids; undefined when they say nothing. InvalidArgument for one map without the other, or what is none. */
export function idMapOf(labels: Readonly<Record<string, string>>): IdMap | undefined {
  const [uids, gids] = [labels[mappingLabels.uids], labels[mappingLabels.gids]];
  if (uids === undefined && gids === undefined) return undefined;
  return { uids: mapText(mappingLabels.uids, uids), gids: mapText(mappingLabels.gids, gids) };
}

/** The id that is shown for one in the files. OutOfRange when the map has none. */
export function mapId(text: string, id: number): number {
  const extent = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map(([inside = 0, outside = 0, size = 0]) => ({ inside, outside, size }))
    .find(({ inside, size }) => id >= inside && id < inside + size);
  if (extent === undefined) throw new StrakeError('OutOfRange', `id ${id} is not in the map of the snapshot`, { fields: { layer: 'core' } });
  return extent.outside + (id - extent.inside);
}

function mapText(label: string, value: string | undefined): string {
  const extents = (value ?? '').split(',').map(parseExtent);
  if (extents.length > maxExtents || !extents.every((extent) => extent !== undefined))
    throw new StrakeError('InvalidArgument', `label ${label} is ${JSON.stringify(value?.slice(0, 80) ?? '')}, not CONTAINER:HOST:SIZE`, {
      fields: { layer: 'core' },
    });
  return extents.map(({ inside, outside, size }) => `${inside} ${outside} ${size}\n`).join('');
}

function parseExtent(text: string): Extent | undefined {
  const match = /^(\d{1,10}):(\d{1,10}):(\d{1,10})$/.exec(text);
  if (match === null) return undefined;
  const [inside = 0, outside = 0, size = 0] = match.slice(1).map(Number);
  return size > 0 && Math.max(inside, outside) + size - 1 <= maxId ? { inside, outside, size } : undefined;
}
