import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsOf, labelsText, type Row, textOf, timeOf, typedValueOf, typedValuesOf, typedValuesText, typedValueText } from '../../metadata/index.ts';
import type { SandboxRecord, SandboxStore } from '../sandboxes.ts';

/** Sandboxes in the metadata database. */
export function createLocalSandboxStore({ db, namespace, now, enter, removed }: LocalScope): SandboxStore {
  const notFound = (id: string) => new StrakeError('NotFound', `sandbox ${JSON.stringify(id)}: not found`, { fields: { layer: 'core', sandbox: id } });
  const find = (id: string): SandboxRecord => {
    const row = db.get('select * from sandboxes where namespace = ? and id = ?', namespace, id);
    if (row === undefined) throw notFound(id);
    return toRecord(row);
  };
  return {
    get: async (id) => find(id),
    list: async (filters = []) => {
      const wanted = parseFilters(filters);
      return db
        .all('select * from sandboxes where namespace = ? order by id', namespace)
        .map(toRecord)
        .filter(({ id, labels }) => wanted(fieldsOf({ id }, { labels })));
    },
    create: async ({ id, labels, runtime, spec, sandboxer, extensions }) => {
      checkIdentifier(id, 'invalid sandbox ID');
      checkLabels(labels, 'sandbox.Labels');
      if (db.get('select 1 from sandboxes where namespace = ? and id = ?', namespace, id))
        throw new StrakeError('AlreadyExists', `sandbox ${JSON.stringify(id)}: already exists`, { fields: { layer: 'core', sandbox: id } });
      enter();
      const at = now().getTime();
      db.run(
        `insert into sandboxes (namespace, id, labels, runtime, runtime_options, spec, sandboxer, extensions, created, updated)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        namespace,
        id,
        labelsText(labels),
        runtime.name,
        typedValueText(runtime.options),
        typedValueText(spec),
        sandboxer,
        typedValuesText(extensions),
        at,
        at,
      );
      return find(id);
    },
    update: async (id, { mergeLabels: labels, mergeExtensions, ...fields }) => {
      const next = { ...find(id), ...fields };
      const nextLabels = labels === undefined ? next.labels : mergeLabels(next.labels, labels);
      checkLabels(nextLabels, 'sandbox.Labels');
      db.run(
        'update sandboxes set labels = ?, runtime = ?, runtime_options = ?, spec = ?, extensions = ?, updated = ? where namespace = ? and id = ?',
        labelsText(nextLabels),
        next.runtime.name,
        typedValueText(next.runtime.options),
        typedValueText(next.spec),
        typedValuesText({ ...next.extensions, ...mergeExtensions }),
        now().getTime(),
        namespace,
        id,
      );
      return find(id);
    },
    delete: async (id) => {
      if (db.run('delete from sandboxes where namespace = ? and id = ?', namespace, id).changes === 0) throw notFound(id);
      removed();
    },
  };
}

function toRecord(row: Row): SandboxRecord {
  return {
    id: textOf(row, 'id'),
    labels: labelsOf(row),
    runtime: { name: textOf(row, 'runtime'), options: typedValueOf(row, 'runtime_options') },
    spec: typedValueOf(row, 'spec'),
    sandboxer: textOf(row, 'sandboxer'),
    extensions: typedValuesOf(row, 'extensions'),
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
  };
}
