import { StrakeError } from '../../../base/index.ts';
import type { Descriptor } from '../../../oci/index.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { labelsText, type MetadataDatabase, type Row, readableLabelsOf, textOf, timeOf } from '../../metadata/index.ts';
import type { ImageRecord, ImageStore } from '../images.ts';
import { readTarget } from './read-target.ts';

const maxNameBytes = 4096;

export interface LocalImageOptions {
  readonly db: MetadataDatabase;
  /** Writes down what a target refers to, so that whoever keeps the target keeps that. */
  readonly link: (target: Descriptor) => Promise<void>;
  readonly now?: () => Date;
}

/** Images in the metadata database. */
export function createLocalImageStore({ db, link, now = () => new Date() }: LocalImageOptions): ImageStore {
  const find = (name: string): ImageRecord => {
    const row = db.get('select * from images where name = ?', name);
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
      return db
        .all('select * from images order by name')
        .map(toRecord)
        .filter((record) => record !== undefined)
        .filter(({ name, target, labels }) =>
          wanted(fieldsOf({ name, 'target.digest': target.digest, 'target.mediatype': target.mediaType }, { labels, annotations: target.annotations })),
        );
    },
    create: async ({ name, target, labels }) => {
      checkName(name);
      await link(target);
      if (db.get('select 1 from images where name = ?', name))
        throw new StrakeError('AlreadyExists', `image ${JSON.stringify(name)}: already exists`, { fields: { layer: 'core', image: name } });
      const at = now().getTime();
      db.run('insert into images (name, target, labels, created, updated) values (?, ?, ?, ?, ?)', name, JSON.stringify(target), labelsText(labels), at, at);
      return find(name);
    },
    put: async ({ name, target, labels }) => {
      checkName(name);
      await link(target);
      const at = now().getTime();
      db.run(
        `insert into images (name, target, labels, created, updated) values (?, ?, ?, ?, ?)
         on conflict (name) do update set target = excluded.target, labels = excluded.labels, updated = excluded.updated`,
        name,
        JSON.stringify(target),
        labelsText(labels),
        at,
        at,
      );
      return find(name);
    },
    delete: async (name) => {
      if (db.run('delete from images where name = ?', name).changes === 0) throw notFound(name);
    },
  };
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

function checkName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > maxNameBytes || name.includes('\0'))
    throw new StrakeError('InvalidArgument', `image name ${JSON.stringify(name.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}
