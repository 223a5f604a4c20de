import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { errorMessage, type Logger, StrakeError } from '../../base/index.ts';
import { DiskReserve } from './disk-reserve.ts';
import { migrations } from './migrations.ts';

export type Row = Readonly<Record<string, unknown>>;

export interface MetadataOptions {
  /** The data root. */
  readonly root: string;
  readonly log: Logger;
  readonly now?: () => Date;
  /** The file's name in the root: `metadata.db` unless told. */
  readonly file?: string;
  /** Its schema, one step a version; the stores' own unless told. */
  readonly schema?: readonly string[];
}

/**
 * The one SQLite database of the local stores: WAL, synchronous=NORMAL (a power loss may take the last transactions, never the database; `checkpoint`
 * makes what was acknowledged durable). A damaged file is set aside under another name and a new one is begun.
 */
export class MetadataDatabase implements Disposable {
  /** Where a damaged database was set aside by this start. */
  readonly quarantined: string | undefined;
  readonly #db: DatabaseSync;
  readonly #reserve: DiskReserve;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  private constructor(db: DatabaseSync, root: string, quarantined: string | undefined) {
    this.#db = db;
    this.#reserve = new DiskReserve(root);
    this.#reserve.hold();
    this.quarantined = quarantined;
  }

  static open({ root, log, now = () => new Date(), file: name = 'metadata.db', schema = migrations }: MetadataOptions): MetadataDatabase {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const file = path.join(root, name);
    try {
      return new MetadataDatabase(openFile(file, schema), root, undefined);
    } catch (error) {
      if (!isDamage(error)) throw error;
      const aside = `${file}.damaged-${now().toISOString().replaceAll(':', '')}`;
      for (const suffix of ['', '-wal', '-shm']) renameIfThere(`${file}${suffix}`, `${aside}${suffix}`);
      log.error('metadata database is damaged: set aside, a new one is begun', { file, aside, error: errorMessage(error) });
      return new MetadataDatabase(openFile(file, schema), root, aside);
    }
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values) as Row[]);
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => (this.#prepare(sql).get(...values) as Row | null | undefined) ?? undefined);
  }

  /** Runs a change; answers how many rows it touched and the id of a row that was inserted. A taken key is AlreadyExists. */
  run(sql: string, ...values: SQLInputValue[]): { readonly changes: number; readonly lastId: number } {
    const { changes, lastInsertRowid } = this.#guard(() => this.#prepare(sql).run(...values));
    return { changes: Number(changes), lastId: Number(lastInsertRowid) };
  }

  /** All of `body` or nothing; may nest. `body` is synchronous, so no other caller's change can get in between. */
  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    return this.#guard(() => {
      this.#db.exec('begin immediate');
      this.#depth++;
      try {
        const result = body();
        this.#db.exec('commit');
        return result;
      } catch (error) {
        this.#rollback();
        throw error;
      } finally {
        this.#depth--;
      }
    });
  }

  /** Everything that was committed reaches the disk. */
  checkpoint(): void {
    this.#guard(() => this.#db.exec('pragma wal_checkpoint(full)'));
    this.holdReserve();
  }

  /** After something was removed: when there is room again, it is there the next time that there is none. */
  holdReserve(): void {
    this.#reserve.hold();
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** SQLite itself rolls back after some errors, such as a full disk. */
  #rollback(): void {
    try {
      this.#db.exec('rollback');
    } catch {
      // There is no transaction left; the error before is the one to tell.
    }
  }

  /** Names errors. What finds the disk full is tried again with the reserve: nothing of it was done. */
  #guard<T>(body: () => T): T {
    try {
      return body();
    } catch (cause) {
      if (isFull(cause) && this.#depth === 0 && this.#reserve.release()) return this.#guard(body);
      if (cause instanceof StrakeError) throw cause;
      const code = sqliteCode(cause);
      const fields = { layer: 'core', operation: 'metadata' };
      if (code === sqlite.constraint) throw new StrakeError('AlreadyExists', errorMessage(cause), { cause, fields });
      if (code === sqlite.full) throw new StrakeError('ResourceExhausted', 'metadata database: no space left on device', { cause, fields });
      if (isDamage(cause)) throw new StrakeError('DataLoss', `metadata database is damaged: ${errorMessage(cause)}`, { cause, fields });
      throw cause;
    }
  }
}

/** Primary result codes of sqlite3.h. */
const sqlite = { corrupt: 11, full: 13, constraint: 19, notADatabase: 26 } as const;

function sqliteCode(error: unknown): number | undefined {
  const code = (error as { readonly errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

function isFull(error: unknown): boolean {
  return sqliteCode(error instanceof StrakeError ? error.cause : error) === sqlite.full;
}

function isDamage(error: unknown): boolean {
  if (error instanceof StrakeError) return error.code === 'DataLoss';
  const code = sqliteCode(error);
  return code === sqlite.corrupt || code === sqlite.notADatabase;
}

function openFile(file: string, schema: readonly string[]): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma busy_timeout = 5000');
    const check = db.prepare('pragma quick_check(1)').get() as Row;
    if (Object.values(check)[0] !== 'ok') throw new StrakeError('DataLoss', `metadata database fails its check: ${String(Object.values(check)[0])}`);
    migrate(db, schema);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: DatabaseSync, schema: readonly string[]): void {
  const version = Number((db.prepare('pragma user_version').get() as Row)['user_version']);
  if (version > schema.length)
    throw new StrakeError('FailedPrecondition', `metadata database has version ${version}, this build knows ${schema.length}`, {
      fields: { layer: 'core', remedy: 'run the newer build that wrote it' },
    });
  for (const [index, sql] of schema.entries()) {
    if (index < version) continue;
    db.exec(`begin immediate; ${sql}; pragma user_version = ${index + 1}; commit`);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
