import { createHash } from 'node:crypto';
import { StrakeError } from '../../../base/index.ts';
import type { LocalScope } from '../../local-scope.ts';
import { labelsOf, labelsText, type MetadataDatabase, numberOf, type Row, textOf, timeOf } from '../../metadata/index.ts';
import type { SnapshotInfo, SnapshotKind, SnapshotUsage } from '../snapshots.ts';

export interface SnapshotRecord extends SnapshotInfo {
  /** Names its directory; never used again. */
  readonly id: number;
  readonly parentId: number | undefined;
  readonly usage: SnapshotUsage | undefined;
}

/**
 * What is known of the snapshots of one snapshotter in one namespace, in the metadata database. Each record holds the digest of itself, so that a flipped bit is found when it is used and not taken
 * for another snapshot; and its parent's key beside its number, so that a damaged parent can still be named, and be put right.
 */
export class SnapshotRecords {
  readonly #scope: LocalScope;
  readonly #snapshotter: string;

  constructor(scope: LocalScope, snapshotter: string) {
    this.#scope = scope;
    this.#snapshotter = snapshotter;
  }

  transaction<T>(body: () => T): T {
    return this.#scope.db.transaction(body);
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

  /** One that can be a parent: NotFound when absent, DataLoss when damaged. */
  committed(key: string): SnapshotRecord {
    const record = this.lookup(key);
    if (record === undefined)
      throw new StrakeError('NotFound', `parent snapshot ${key} does not exist: not found`, { fields: { layer: 'core', snapshot: key } });
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
    const row = this.#scope.db.get('select * from snapshots where id = ?', parentId);
    if (row === undefined) throw damaged(parent ?? '');
    return toRecord(row, parent ?? '');
  }

  /** A snapshot above this one. */
  childOf(key: string): string | undefined {
    const { db, namespace } = this.#scope;
    const id = this.idOf(key) ?? -1;
    const row = db.get(
      'select key from snapshots where parent = ? or (parent_key = ? and namespace = ? and snapshotter = ?) limit 1',
      id,
      key,
      namespace,
      this.#snapshotter,
    );
    return row && textOf(row, 'key');
  }

  /** AlreadyExists when the key is taken. */
  insert(record: SnapshotRecord): SnapshotRecord {
    if (this.has(record.key)) throw alreadyExists(record.key);
    this.#scope.enter();
    this.#scope.db.run(
      `insert into snapshots (id, namespace, snapshotter, key, kind, labels, created, updated) values (?, ?, ?, ?, ?, '{}', ?, 0)`,
      record.id,
      this.#scope.namespace,
      this.#snapshotter,
      record.key,
      record.kind,
      record.createdAt.getTime(),
    );
    return this.save(record);
  }

  save(record: SnapshotRecord): SnapshotRecord {
    const { id, key, parentId, parent, kind, labels, createdAt, updatedAt, usage } = record;
    const { db } = this.#scope;
    db.run(
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
    db.run('update snapshots set sum = ? where id = ?', sumOf(db.get('select * from snapshots where id = ?', id) ?? {}), id);
    return record;
  }

  delete(id: number): void {
    this.#scope.db.run('delete from snapshots where id = ?', id);
  }

  /** The number that a key stands for, without a look at the rest: what is damaged can be removed. */
  idOf(key: string): number | undefined {
    const row = this.#row(key);
    return row && numberOf(row, 'id');
  }

  /** Of all namespaces and snapshotters. */
  isNumberKnown(id: number): boolean {
    return this.#scope.db.get('select 1 from snapshots where id = ?', id) !== undefined;
  }

  /** The number of the damaged record that was of this key: it has the key still, or those above it say that their parent had it. */
  damagedId(key: string): number | undefined {
    const { db, namespace } = this.#scope;
    const row =
      this.#row(key) ??
      db.get(
        `select * from snapshots
         where id in (select parent from snapshots where parent_key = ? and namespace = ? and snapshotter = ?) and key != ?`,
        key,
        namespace,
        this.#snapshotter,
        key,
      );
    return row === undefined || isWhole(row) ? undefined : numberOf(row, 'id');
  }

  /** By key; damaged ones are left out. */
  all(): SnapshotRecord[] {
    return this.#scope.db
      .all('select * from snapshots where namespace = ? and snapshotter = ? order by key', this.#scope.namespace, this.#snapshotter)
      .filter(isWhole)
      .map((row) => toRecord(row, textOf(row, 'key')));
  }

  #row(key: string): Row | undefined {
    return this.#scope.db.get('select * from snapshots where namespace = ? and snapshotter = ? and key = ?', this.#scope.namespace, this.#snapshotter, key);
  }
}

/** Records of the first version have neither digest nor parent's key; those of the second a digest without namespace and snapshotter. A damaged one stays so. */
export function sealSnapshotRecords(db: MetadataDatabase): void {
  db.transaction(() => {
    db.run('update snapshots set parent_key = (select below.key from snapshots as below where below.id = snapshots.parent) where sum is null');
    for (const row of db.all(`select * from snapshots where sum is null or sum not like '${sumPrefix}%'`))
      if (row['sum'] === null || row['sum'] === digestOf(row, summedBefore))
        db.run('update snapshots set sum = ? where id = ?', sumOf(row), numberOf(row, 'id'));
  });
}

const summedBefore = ['id', 'key', 'parent', 'parent_key', 'kind', 'labels', 'created', 'updated', 'size', 'inodes'] as const;
const summed = [...summedBefore, 'namespace', 'snapshotter'] as const;
/** No digest of the versions before begins so. */
const sumPrefix = 'n';

function sumOf(row: Row): string {
  return `${sumPrefix}${digestOf(row, summed)}`;
}

function digestOf(row: Row, names: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(names.map((name) => row[name])))
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
  return new StrakeError('NotFound', `snapshot ${key} does not exist: not found`, { fields: { layer: 'core', snapshot: key } });
}

export function alreadyExists(key: string): StrakeError {
  return new StrakeError('AlreadyExists', `snapshot ${JSON.stringify(key)}: already exists`, { fields: { layer: 'core', snapshot: key } });
}

function damaged(key: string): StrakeError {
  return new StrakeError('DataLoss', `snapshot ${key}: its record is damaged`, {
    fields: { layer: 'core', snapshot: key, remedy: 'pull the image again; if it is a container’s own, remove the container' },
  });
}
