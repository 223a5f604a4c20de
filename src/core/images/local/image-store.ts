import { StrakeError } from '../../../base/index.ts';
import type { Descriptor } from '../../../oci/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { checkLabels, mergeLabels } from '../../label-change.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsText, type Row, readableLabelsOf, textOf, timeOf } from '../../metadata/index.ts';
import { checkImageName } from '../check-image-name.ts';
import type { ImageChange, ImageRecord, ImageStore } from '../images.ts';
import { readTarget } from './read-target.ts';

export interface LocalImageOptions extends LocalScope {
  /** Writes down what a target refers to, so that whoever keeps the target keeps that. */
  readonly link: (target: Descriptor) => Promise<void>;
}

/** Images in the metadata database. */
export function createLocalImageStore({ db, namespace, link, now, enter, events, removed }: LocalImageOptions): ImageStore {
  const find = (name: string): ImageRecord => {
    const row = db.get('select * from images where namespace = ? and name = ?', namespace, name);
    if (row === undefined) throw notFound(name);
    const record = toRecord(row);
    if (record === undefined)
      throw new StrakeError('DataLoss', `image ${JSON.stringify(name)}: its record is damaged`, {
        fields: { layer: 'core', image: name, remedy: 'pull the image again, or give the name to another' },
      });
    return record;
  };
  return {
    get: async (name) => find(name),
    list: async (filters = []) => {
      const wanted = parseFilters(filters);
      const targets = onlyTargets(filters);
      const rows =
        targets === undefined
          ? db.all('select * from images where namespace = ? order by name', namespace)
          : db.all(
              'select * from images where namespace = ? and exists (select 1 from json_each(?) where instr(target, value)) order by name',
              namespace,
              targets,
            );
      return rows
        .map(toRecord)
        .filter((record) => record !== undefined)
        .filter(({ name, target, labels }) =>
          wanted(fieldsOf({ name, 'target.digest': target.digest, 'target.mediatype': target.mediaType }, { labels, annotations: target.annotations })),
        );
    },
    create: async ({ name, target, labels }) => {
      checkImageName(name);
      checkLabels(labels, 'image.Labels');
      await link(target);
      if (db.get('select 1 from images where namespace = ? and name = ?', namespace, name))
        throw new StrakeError('AlreadyExists', `image ${JSON.stringify(name)}: already exists`, { fields: { layer: 'core', image: name } });
      enter();
      const at = now().getTime();
      db.run(
        'insert into images (namespace, name, target, labels, created, updated) values (?, ?, ?, ?, ?, ?)',
        namespace,
        name,
        JSON.stringify(target),
        labelsText(labels),
        at,
        at,
      );
      events.publish('/images/create', { name, labels: labels ?? {} });
      return find(name);
    },
    put: async ({ name, target, labels }) => {
      checkImageName(name);
      checkLabels(labels, 'image.Labels');
      await link(target);
      enter();
      const isNew = db.get('select 1 from images where namespace = ? and name = ?', namespace, name) === undefined;
      const at = now().getTime();
      db.run(
        `insert into images (namespace, name, target, labels, created, updated) values (?, ?, ?, ?, ?, ?)
         on conflict (namespace, name) do update set target = excluded.target, labels = excluded.labels, updated = excluded.updated`,
        namespace,
        name,
        JSON.stringify(target),
        labelsText(labels),
        at,
        at,
      );
      events.publish(isNew ? '/images/create' : '/images/update', { name, labels: labels ?? {} });
      return find(name);
    },
    update: async (name, change) => {
      if (change.target !== undefined) await link(change.target);
      const next = changed(find(name), change);
      checkLabels(next.labels, 'image.Labels');
      db.run(
        'update images set target = ?, labels = ?, updated = ? where namespace = ? and name = ?',
        JSON.stringify(next.target),
        labelsText(next.labels),
        now().getTime(),
        namespace,
        name,
      );
      events.publish('/images/update', { name, labels: next.labels });
      return find(name);
    },
    delete: async (name, { target } = {}) => {
      if (target !== undefined) {
        const found = find(name).target.digest;
        if (found !== target)
          throw new StrakeError('NotFound', `image ${JSON.stringify(name)} has target ${found}, not ${target}: not found`, {
            fields: { layer: 'core', image: name },
          });
      }
      if (db.run('delete from images where namespace = ? and name = ?', namespace, name).changes === 0) throw notFound(name);
      events.publish('/images/delete', { name });
      removed();
    },
  };
}

function changed(before: ImageRecord, { target = before.target, labels, annotations, mergeLabels: some, mergeAnnotations }: ImageChange): ImageRecord {
  const nextAnnotations = mergeLabels(annotations ?? target.annotations ?? {}, mergeAnnotations ?? {});
  const { annotations: _before, ...descriptor } = target;
  return {
    ...before,
    target: Object.keys(nextAnnotations).length === 0 ? descriptor : { ...descriptor, annotations: nextAnnotations },
    labels: mergeLabels(labels ?? before.labels, some ?? {}),
  };
}

/** The targets that the filters ask for, as JSON, where they ask for nothing else: of other images no more is read than whether it is there. */
function onlyTargets(filters: readonly string[]): string | undefined {
  const digests = filters.map((filter) => /^target\.digest==([a-z0-9]+:[0-9a-f]+)$/.exec(filter)?.[1]);
  return digests.length === 0 || digests.includes(undefined) ? undefined : JSON.stringify(digests);
}

function notFound(name: string): StrakeError {
  return new StrakeError('NotFound', `image ${JSON.stringify(name)}: not found`, { fields: { layer: 'core', image: name } });
}

/** Undefined when it is damaged. */
function toRecord(row: Row): ImageRecord | undefined {
  const target = readTarget(row['target']);
  if (target === undefined) return undefined;
  return {
    name: textOf(row, 'name'),
    target,
    labels: readableLabelsOf(row),
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
  };
}
