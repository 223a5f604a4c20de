import { randomId, StrakeError } from '../../../base/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsOf, labelsText, type Row, textOf, timeOf } from '../../metadata/index.ts';
import { checkLeaseId } from '../check-lease-id.ts';
import type { LeaseRecord, LeaseResource, LeaseStore } from '../leases.ts';

const resourceType = /^(?:content|images|ingests|snapshots\/[a-z0-9][a-z0-9_.-]{0,62})$/;

/** Leases in the metadata database. */
export function createLocalLeaseStore({ db, namespace, now, enter, removed }: Pick<LocalScope, 'db' | 'namespace' | 'now' | 'enter' | 'removed'>): LeaseStore {
  const find = (id: string): LeaseRecord => {
    const row = db.get('select * from leases where namespace = ? and id = ?', namespace, id);
    if (row === undefined) throw new StrakeError('NotFound', `lease ${JSON.stringify(id)}: not found`, { fields: { layer: 'core', lease: id } });
    return toRecord(row);
  };
  return {
    create: async ({ id = randomId(), labels } = {}) => {
      checkLeaseId(id);
      if (db.get('select 1 from leases where namespace = ? and id = ?', namespace, id))
        throw new StrakeError('AlreadyExists', `lease ${JSON.stringify(id)}: already exists`, { fields: { layer: 'core', lease: id } });
      checkLabels(labels, 'lease.Labels');
      enter();
      db.run('insert into leases (namespace, id, labels, created) values (?, ?, ?, ?)', namespace, id, labelsText(labels), now().getTime());
      return find(id);
    },
    delete: async (id) => {
      find(id);
      db.run('delete from leases where namespace = ? and id = ?', namespace, id);
      removed();
    },
    list: async (filters = []) => {
      const wanted = parseFilters(filters);
      return db
        .all('select * from leases where namespace = ? order by id', namespace)
        .map(toRecord)
        .filter(({ id, labels }) => wanted(fieldsOf({ id }, { labels })));
    },
    addResource: async (id, resource) => {
      find(id);
      if (!resourceType.test(resource.type) || resource.id === '')
        throw new StrakeError('InvalidArgument', `lease resource ${JSON.stringify(`${resource.type}/${resource.id}`.slice(0, 80))} is not valid`, {
          fields: { layer: 'core', lease: id },
        });
      db.run(
        'insert into lease_resources (namespace, lease, type, resource) values (?, ?, ?, ?) on conflict do nothing',
        namespace,
        id,
        resource.type,
        resource.id,
      );
    },
    deleteResource: async (id, resource) => {
      find(id);
      db.run('delete from lease_resources where namespace = ? and lease = ? and type = ? and resource = ?', namespace, id, resource.type, resource.id);
      removed();
    },
    resources: async (id) => {
      find(id);
      return db
        .all('select type, resource from lease_resources where namespace = ? and lease = ? order by type, resource', namespace, id)
        .map((row) => ({ type: textOf(row, 'type') as LeaseResource['type'], id: textOf(row, 'resource') }));
    },
  };
}

function toRecord(row: Row): LeaseRecord {
  return { id: textOf(row, 'id'), createdAt: timeOf(row, 'created'), labels: labelsOf(row) };
}
