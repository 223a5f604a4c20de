import { createHash } from 'node:crypto';
import { StrakeError } from '../../../base/index.ts';
import { labelsOf, labelsText, type MetadataDatabase, numberOf, type Row, textOf, timeOf } from '../../metadata/index.ts';
import type { SnapshotInfo, SnapshotKind, SnapshotUsage } from '../snapshots.ts';

export interface SnapshotRecord extends SnapshotInfo {
  /** Names its directory; never used again. */
  readonly id: number;
  readonly parentId: number | undefined;
  readonly usage: SnapshotUsage | undefined;
}

type Draft = Omit<SnapshotRecord, 'id'>;

/**
 * What is known of snapshots, in the metadata database. Each record holds the digest of itself, so that a flipped bit is found when it is used and not taken
 * for another snapshot; and its parent's key beside its number, so that a damaged parent can still be named, and be put right.
 */
export class SnapshotRecords {
  readonly #db: MetadataDatabase;

  constructor(db: MetadataDatabase) {
    this.#db = db;
    this.#seal();
  }

  transaction<T>(body: () => T): T {
    return this.#db.transaction(body);
  }

  /** NotFound when absent, DataLoss when damaged. */
  find(key: string): SnapshotRecord {
    const record = this.lookup(key);
    if (record === undefined) throw notFound(key);
    return record;
  }

  /** DataLoss when damaged. */
  lookup(key: string): SnapshotRecord | undefined {
    const row = this.#row(key);
    return row === undefined ? undefined : toRecord(row, key);
  }

  /** Whether there is a record of the key, be it damaged. */
  has(key: string): boolean {
    return this.#row(key) !== undefined;
  }

  committed(key: string): SnapshotRecord {
    const record = this.find(key);
    if (record.kind !== 'committed')
      throw new StrakeError('InvalidArgument', `snapshot ${key} is not committed: it cannot be a parent`, { fields: { layer: 'core' } });
    return record;
  }

  /** The snapshot and all below it, uppermost first. */
  chain(record: SnapshotRecord): SnapshotRecord[] {
    const chain = [record];
    for (let next = this.parent(record); next; next = this.parent(next)) chain.push(next);
    return chain;
  }

  parent({ parentId, parent }: SnapshotRecord): SnapshotRecord | undefined {
    if (parentId === undefined) return undefined;
    const row = this.#db.get('select * from snapshots where id = ?', parentId);
    if (row === undefined) throw damaged(parent ?? '');
    return toRecord(row, parent ?? '');
  }

  /** A snapshot above this one. */
  childOf(key: string): string | undefined {
    const row = this.#db.get('select key from snapshots where parent_key = ? or parent = (select id from snapshots where key = ?) limit 1', key, key);
    return row && textOf(row, 'key');
  }

  /** AlreadyExists when the key is taken. */
  insert(draft: Draft): SnapshotRecord {
    if (this.has(draft.key)) throw alreadyExists(draft.key);
    const { lastId } = this.#db.run(
      `insert into snapshots (key, kind, labels, created, updated) values (?, ?, '{}', ?, 0)`,
      draft.key,
      draft.kind,
      draft.createdAt.getTime(),
    );
    return this.save({ ...draft, id: lastId });
  }

  save(record: SnapshotRecord): SnapshotRecord {
    const { id, key, parentId, parent, kind, labels, createdAt, updatedAt, usage } = record;
    this.#db.run(
      `update snapshots set key = ?, parent = ?, parent_key = ?, kind = ?, labels = ?, created = ?, updated = ?, size = ?, inodes = ?, sum = '' where id = ?`,
      key,
      parentId ?? null,
      parent ?? null,
      kind,
      labelsText(labels),
      createdAt.getTime(),
      updatedAt.getTime(),
      usage?.sizeBytes ?? null,
      usage?.inodes ?? null,
      id,
    );
    this.#db.run('update snapshots set sum = ? where id = ?', sumOf(this.#db.get('select * from snapshots where id = ?', id) ?? {}), id);
    return record;
  }

  delete(id: number): void {
    this.#db.run('delete from snapshots where id = ?', id);
  }

  /** The number that a key stands for, without a look at the rest: what is damaged can be removed. */
  idOf(key: string): number | undefined {
    const row = this.#row(key);
    return row && numberOf(row, 'id');
  }

  isNumberKnown(id: number): boolean {
    return this.#db.get('select 1 from snapshots where id = ?', id) !== undefined;
  }

  /** The number of the damaged record that was of this key: it has the key still, or those above it say that their parent had it. */
  damagedId(key: string): number | undefined {
    const row =
      this.#row(key) ?? this.#db.get('select * from snapshots where id in (select parent from snapshots where parent_key = ?) and key != ?', key, key);
    return row === undefined || isWhole(row) ? undefined : numberOf(row, 'id');
  }

  /** In the order of their making; damaged ones are left out. */
  all(): SnapshotRecord[] {
    return this.#db
      .all('select * from snapshots order by id')
      .filter(isWhole)
      .map((row) => toRecord(row, textOf(row, 'key')));
  }

  #row(key: string): Row | undefined {
    return this.#db.get('select * from snapshots where key = ?', key);
  }

  /** Records of an earlier version have neither digest nor parent's key. */
  #seal(): void {
    this.#db.transaction(() => {
      for (const row of this.#db.all('select id, parent from snapshots where sum is null')) {
        this.#db.run(
          'update snapshots set parent_key = (select key from snapshots where id = ?) where id = ?',
          row['parent'] as number | null,
          numberOf(row, 'id'),
        );
        this.#db.run(
          'update snapshots set sum = ? where id = ?',
          sumOf(this.#db.get('select * from snapshots where id = ?', numberOf(row, 'id')) ?? {}),
          numberOf(row, 'id'),
        );
      }
    });
  }
}

const summed = ['id', 'key', 'parent', 'parent_key', 'kind', 'labels', 'created', 'updated', 'size', 'inodes'] as const;

function sumOf(row: Row): string {
  return createHash('sha256')
    .update(JSON.stringify(summed.map((name) => row[name])))
    .digest('hex')
    .slice(0, 32);
}

function isWhole(row: Row): boolean {
  return row['sum'] === sumOf(row);
}

/** `key` names it in the error: its own may be what is damaged. */
function toRecord(row: Row, key: string): SnapshotRecord {
  if (!isWhole(row)) throw damaged(key);
  const size = row['size'] as number | null;
  const inodes = row['inodes'] as number | null;
  return {
    id: numberOf(row, 'id'),
    key: textOf(row, 'key'),
    parentId: (row['parent'] as number | null) ?? undefined,
    parent: (row['parent_key'] as string | null) ?? undefined,
    kind: textOf(row, 'kind') as SnapshotKind,
    labels: labelsOf(row),
    createdAt: timeOf(row, 'created'),
    updatedAt: timeOf(row, 'updated'),
    usage: size === null || inodes === null ? undefined : { sizeBytes: size, inodes },
  };
}

export function notFound(key: string): StrakeError {
  return new StrakeError('NotFound', `snapshot ${key}: not found`, { fields: { layer: 'core', snapshot: key } });
}

export function alreadyExists(key: string): StrakeError {
  return new StrakeError('AlreadyExists', `snapshot ${key}: already exists`, { fields: { layer: 'core', snapshot: key } });
}

function damaged(key: string): StrakeError {
  return new StrakeError('DataLoss', `snapshot ${key}: its record is damaged`, {
    fields: { layer: 'core', snapshot: key, remedy: 'pull the image again; if it is a container’s own, remove the container' },
  });
}
