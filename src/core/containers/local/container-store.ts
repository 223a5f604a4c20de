import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsOf, labelsText, type Row, textOf, timeOf, typedValueOf, typedValuesOf, typedValuesText, typedValueText } from '../../metadata/index.ts';
import type { ContainerChange, ContainerRecord, ContainerStore, NewContainer } from '../containers.ts';

/** Containers in the metadata database. */
export function createLocalContainerStore({ db, namespace, now, enter, events, removed }: LocalScope): ContainerStore {
  const find = (id: string): ContainerRecord => {
    const row = db.get('select * from containers where namespace = ? and id = ?', namespace, id);
    if (row === undefined)
      throw new StrakeError('NotFound', `container ${JSON.stringify(id)} in namespace ${JSON.stringify(namespace)}: not found`, {
        fields: { layer: 'core', container: id },
      });
    return toRecord(row);
  };
  return {
    get: async (id) => find(id),
    list: async (filters = []) => {
      const wanted = parseFilters(filters);
      return db
        .all('select * from containers where namespace = ? order by id', namespace)
        .map(toRecord)
        .filter(({ id, image, labels, runtime }) => wanted(fieldsOf({ id, image, 'runtime.name': runtime.name }, { labels })));
    },
    create: async (container) => {
      const { id, image, runtime } = container;
      check(container);
      if (db.get('select 1 from containers where namespace = ? and id = ?', namespace, id))
        throw new StrakeError('AlreadyExists', `container ${JSON.stringify(id)}: already exists`, { fields: { layer: 'core', container: id } });
      enter();
      const at = now().getTime();
      db.run(
        `insert into containers
          (namespace, id, labels, image, runtime, runtime_options, spec, snapshotter, snapshot_key, sandbox, extensions, created, updated)
          values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        namespace,
        id,
        labelsText(container.labels),
        image,
        runtime.name,
        typedValueText(runtime.options),
        typedValueText(container.spec),
        container.snapshotter,
        container.snapshotKey,
        container.sandboxId,
        typedValuesText(container.extensions),
        at,
        at,
      );
      events.publish('/containers/create', { id, image, runtime });
      return find(id);
    },
    update: async (id, change) => {
      const next = changed(find(id), change);
      check(next);
      db.run(
        'update containers set labels = ?, image = ?, snapshot_key = ?, spec = ?, extensions = ?, updated = ? where namespace = ? and id = ?',
        labelsText(next.labels),
        next.image,
        next.snapshotKey,
        typedValueText(next.spec),
        typedValuesText(next.extensions),
        now().getTime(),
        namespace,
        id,
      );
      events.publish('/containers/update', { id, image: next.image, labels: next.labels, snapshotKey: next.snapshotKey });
      return find(id);
    },
    delete: async (id) => {
      if (db.run('delete from containers where namespace = ? and id = ?', namespace, id).changes === 0)
        throw new StrakeError('NotFound', `container ${JSON.stringify(id)} in namespace ${JSON.stringify(namespace)}: not found`, {
          fields: { layer: 'core', container: id },
        });
      events.publish('/containers/delete', { id });
      removed();
    },
  };
}

function changed(before: ContainerRecord, { mergeLabels: labels, mergeExtensions, ...fields }: ContainerChange): ContainerRecord {
  const next = { ...before, ...fields };
  return {
    ...next,
    labels: labels === undefined ? next.labels : mergeLabels(next.labels, labels),
    extensions: { ...next.extensions, ...mergeExtensions },
  };
}

/** containerd's rules (core/metadata/containers.go). */
function check({ id, labels, runtime, spec, snapshotter, snapshotKey, extensions }: NewContainer): void {
  checkIdentifier(id, 'container.ID');
  checkLabels(labels, 'containers.Labels');
  const problem = Object.hasOwn(extensions, '')
    ? 'container.Extension keys must not be zero-length'
    : runtime.name === ''
      ? 'container.Runtime.Name must be set'
      : spec.typeUrl === ''
        ? 'container.Spec must be set'
        : snapshotKey !== '' && snapshotter === ''
          ? 'container.Snapshotter must be set if container.SnapshotKey is set'
          : undefined;
  if (problem !== undefined) throw new StrakeError('InvalidArgument', problem, { fields: { layer: 'core', container: id } });
}

function toRecord(row: Row): ContainerRecord {
  return {
    id: textOf(row, 'id'),
    labels: labelsOf(row),
    image: textOf(row, 'image'),
    runtime: { name: textOf(row, 'runtime'), options: typedValueOf(row, 'runtime_options') },
    spec: typedValueOf(row, 'spec') ?? { typeUrl: '', value: new Uint8Array() },
    snapshotter: textOf(row, 'snapshotter'),
    snapshotKey: textOf(row, 'snapshot_key'),
    sandboxId: textOf(row, 'sandbox'),
    extensions: typedValuesOf(row, 'extensions'),
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
  };
}
