import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import type { EventExchange } from '../../events/events.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import { labelsText, type MetadataDatabase, type Row, readableLabelsOf, textOf } from '../../metadata/index.ts';
import type { NamespaceRecord, NamespaceStore } from '../namespaces.ts';

export interface LocalNamespaceStore extends NamespaceStore {
  /** Makes a namespace that is not there yet. */
  ensure(name: string): void;
}

/** Namespaces in the metadata database. */
export function createLocalNamespaceStore({ db, events }: { readonly db: MetadataDatabase; readonly events: EventExchange }): LocalNamespaceStore {
  /** Those that are known to be there: it is asked for whatever is stored. */
  const there = new Set<string>();
  const find = (name: string): NamespaceRecord => {
    const row = db.get('select * from namespaces where name = ?', name);
    if (row === undefined) throw notFound(name);
    return toRecord(row);
  };
  /** `told`: what the event says. */
  const write = (name: string, labels: Readonly<Record<string, string>>, told = labels): NamespaceRecord => {
    checkLabels(labels, 'namespace.Labels');
    db.run('update namespaces set labels = ? where name = ?', labelsText(labels), name);
    events.in(name).publish('/namespaces/update', { name, labels: told });
    return find(name);
  };
  return {
    ensure: (name) => {
      if (there.has(name)) return;
      db.run(`insert or ignore into namespaces (name, labels) values (?, '{}')`, name);
      there.add(name);
    },
    get: async (name) => find(name),
    list: async () => db.all('select * from namespaces order by name').map(toRecord),
    create: async ({ name, labels = {} }) => {
      checkIdentifier(name);
      checkLabels(labels, 'namespace.Labels');
      if (db.run('insert or ignore into namespaces (name, labels) values (?, ?)', name, labelsText(labels)).changes === 0)
        throw new StrakeError('AlreadyExists', `namespace ${JSON.stringify(name)}: already exists`, { fields: { layer: 'core', namespace: name } });
      events.in(name).publish('/namespaces/create', { name, labels });
      return find(name);
    },
    setLabels: async (name, labels) => {
      find(name);
      return write(name, labels);
    },
    // As containerd's event, which has the labels of the request.
    mergeLabels: async (name, labels) => write(name, mergeLabels(find(name).labels, labels), labels),
    delete: async (name) => {
      find(name);
      db.transaction(() => {
        const left = contentsOf(db, name);
        if (left.length > 0)
          throw new StrakeError('FailedPrecondition', `namespace ${JSON.stringify(name)} must be empty, but it still has ${left.join(', ')}`, {
            fields: { layer: 'core', namespace: name },
          });
        for (const table of ['leases', 'ingests', 'sandboxes']) db.run(`delete from ${table} where namespace = ?`, name);
        db.run('delete from namespaces where name = ?', name);
      });
      there.delete(name);
      events.in(name).publish('/namespaces/delete', { name });
    },
  };
}

/** Kinds of things that are left, as containerd calls them. */
function contentsOf(db: MetadataDatabase, name: string): readonly string[] {
  const has = (table: string) => db.get(`select 1 from ${table} where namespace = ? limit 1`, name) !== undefined;
  const kinds = [
    ['images', 'images'],
    ['blobs', 'blobs'],
    ['containers', 'containers'],
  ].flatMap(([table = '', kind = '']) => (has(table) ? [kind] : []));
  const snapshotters = db.all('select distinct snapshotter from snapshots where namespace = ? order by snapshotter', name);
  return [...kinds, ...snapshotters.map((row) => `snapshots on ${JSON.stringify(textOf(row, 'snapshotter'))} snapshotter`)];
}

function toRecord(row: Row): NamespaceRecord {
  return { name: textOf(row, 'name'), labels: readableLabelsOf(row) };
}

function notFound(name: string): StrakeError {
  return new StrakeError('NotFound', `namespace ${JSON.stringify(name)}: not found`, { fields: { layer: 'core', namespace: name } });
}
