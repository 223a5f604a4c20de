import { StrakeError } from '../../../base/index.ts';
import { formatJson, parseJson, type RuntimeSpec } from '../../../oci/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { labelsOf, labelsText, type MetadataDatabase, type Row, textOf, timeOf } from '../../metadata/index.ts';
import type { ContainerRecord, ContainerStore } from '../containers.ts';

/** containerd's identifiers (pkg/identifiers): safe as a file name and in a cgroup path. */
const idPattern = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
const maxIdLength = 76;

/** Containers in the metadata database. */
export function createLocalContainerStore(db: MetadataDatabase, now: () => Date = () => new Date()): ContainerStore {
  const find = (id: string): ContainerRecord => {
    const row = db.get('select * from containers where id = ?', id);
    if (row === undefined) throw new StrakeError('NotFound', `container ${JSON.stringify(id)}: not found`, { fields: { layer: 'core', container: id } });
    return toRecord(row);
  };
  return {
    get: async (id) => find(id),
    list: async (filters = []) => {
      const wanted = parseFilters(filters);
      return db
        .all('select * from containers order by created, id')
        .map(toRecord)
        .filter(({ id, image, labels }) => wanted(fieldsOf({ id, image }, { labels })));
    },
    create: async ({ id, labels, image, snapshotKey, spec, extensions }) => {
      if (id.length > maxIdLength || !idPattern.test(id))
        throw new StrakeError('InvalidArgument', `container id ${JSON.stringify(id.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
      if (db.get('select 1 from containers where id = ?', id))
        throw new StrakeError('AlreadyExists', `container ${JSON.stringify(id)}: already exists`, { fields: { layer: 'core', container: id } });
      const at = now().getTime();
      db.run(
        'insert into containers (id, labels, image, snapshot_key, spec, extensions, created, updated) values (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        labelsText(labels),
        image,
        snapshotKey,
        spec === undefined ? null : formatJson(spec),
        formatJson(extensions),
        at,
        at,
      );
      return find(id);
    },
    update: async (id, change) => {
      const next = { ...find(id), ...change };
      db.run(
        'update containers set labels = ?, image = ?, snapshot_key = ?, spec = ?, extensions = ?, updated = ? where id = ?',
        labelsText(next.labels),
        next.image,
        next.snapshotKey,
        next.spec === undefined ? null : formatJson(next.spec),
        formatJson(next.extensions),
        now().getTime(),
        id,
      );
      return find(id);
    },
    delete: async (id) => {
      find(id);
      db.run('delete from containers where id = ?', id);
    },
  };
}

function toRecord(row: Row): ContainerRecord {
  const id = textOf(row, 'id');
  const spec = row['spec'] as string | null;
  return {
    id,
    labels: labelsOf(row),
    image: textOf(row, 'image'),
    snapshotKey: textOf(row, 'snapshot_key'),
    spec: spec === null ? undefined : (parseJson(spec, `spec of container ${id}`) as RuntimeSpec),
    extensions: parseJson(textOf(row, 'extensions'), `extensions of container ${id}`) as Readonly<Record<string, unknown>>,
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
  };
}
