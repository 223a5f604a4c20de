import { mkdirSync, readdirSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, type Logger, StrakeError } from '../../../base/index.ts';
import type { OpenFileTree } from '../../diff/diff.ts';
import { fieldsOf, parseFilters } from '../../filters/index.ts';
import { labelsOf, labelsText, type MetadataDatabase, numberOf, type Row, textOf, timeOf } from '../../metadata/index.ts';
import type { CommitOptions, SnapshotInfo, SnapshotKind, SnapshotMount, Snapshotter, SnapshotUsage } from '../snapshots.ts';
import { measureTree } from './measure-tree.ts';

/** Overlayfs refuses more (OVL_MAX_STACK, fs/overlayfs/params.h). */
const maxLowers = 500;
const maxKeyBytes = 4096;
/** Snapshots up to this number belong to an earlier, damaged database: their files stay. */
const keptFact = 'snapshots kept up to';

export interface OverlaySnapshotterOptions {
  readonly root: string;
  readonly db: MetadataDatabase;
  readonly openFileTree: OpenFileTree;
  readonly log: Logger;
  readonly now?: () => Date;
}

/** Snapshots as directories `<root>/snapshots/NUMBER/{fs,work}` that overlayfs stacks; the numbers keep mount options short. */
export class OverlaySnapshotter implements Snapshotter {
  readonly name = 'overlayfs';
  readonly #directory: string;
  readonly #db: MetadataDatabase;
  readonly #openFileTree: OpenFileTree;
  readonly #now: () => Date;
  readonly #log: Logger;

  constructor({ root, db, openFileTree, log, now = () => new Date() }: OverlaySnapshotterOptions) {
    this.#directory = path.join(root, 'snapshots');
    this.#db = db;
    this.#openFileTree = openFileTree;
    this.#now = now;
    this.#log = log;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#keepForeign(log);
  }

  async stat(key: string): Promise<SnapshotInfo> {
    return this.#toInfo(this.#find(key));
  }

  async prepare(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount> {
    return await this.#create('active', key, parent, labels);
  }

  async view(key: string, parent: string | undefined, labels?: Readonly<Record<string, string>>): Promise<SnapshotMount> {
    return await this.#create('view', key, parent, labels);
  }

  async mounts(key: string): Promise<SnapshotMount> {
    const row = this.#find(key);
    if (row['kind'] === 'committed') throw failedPrecondition(key, 'is committed: prepare or view a child of it');
    return this.#mount(row);
  }

  async commit(name: string, key: string, { labels, parent, inheritRoot = false, usage }: CommitOptions = {}): Promise<void> {
    checkKey(name);
    const row = this.#find(key);
    if (row['kind'] !== 'active') throw failedPrecondition(key, `is ${textOf(row, 'kind')}, not active`);
    if (parent !== undefined && row['parent'] !== null) throw failedPrecondition(key, 'has a parent already');
    if (this.#lookup(name)) throw alreadyExists(name);
    const parentRow = parent === undefined ? undefined : this.#committed(parent);
    if (inheritRoot && parentRow) await copyRoot(this.#files(parentRow), this.#files(row));
    await using tree = await this.#openFileTree(this.#files(row));
    await tree.sync(true);
    this.#db.transaction(() => {
      if (this.#lookup(name)) throw alreadyExists(name);
      const parentId = parentRow === undefined ? (row['parent'] as number | null) : numberOf(this.#committed(parent ?? ''), 'id');
      this.#db.run(
        `update snapshots set key = ?, kind = 'committed', parent = ?, labels = ?, updated = ?, size = ?, inodes = ? where id = ?`,
        name,
        parentId,
        labels === undefined ? textOf(row, 'labels') : labelsText(labels),
        this.#now().getTime(),
        usage?.sizeBytes ?? null,
        usage?.inodes ?? null,
        numberOf(row, 'id'),
      );
    });
    // Only a writable layer needs it; inside is at most an empty directory that overlayfs made.
    await rm(path.join(this.#home(row), 'work'), { recursive: true, force: true });
  }

  async usage(key: string): Promise<SnapshotUsage> {
    const row = this.#find(key);
    if (row['size'] !== null && row['inodes'] !== null) return { sizeBytes: numberOf(row, 'size'), inodes: numberOf(row, 'inodes') };
    await using tree = await this.#openFileTree(this.#files(row));
    const usage = await measureTree(tree);
    if (row['kind'] === 'committed') this.#db.run('update snapshots set size = ?, inodes = ? where id = ?', usage.sizeBytes, usage.inodes, numberOf(row, 'id'));
    return usage;
  }

  async remove(key: string): Promise<void> {
    const row = this.#find(key);
    const id = numberOf(row, 'id');
    const child = this.#db.get('select key from snapshots where parent = ? limit 1', id);
    if (child) throw failedPrecondition(key, `has children, such as ${textOf(child, 'key')}`);
    this.#db.run('delete from snapshots where id = ?', id);
    // Nobody waits for the files: unlinking them takes longer than all else of a removal.
    this.#deleteLater(await this.#rename(String(id)));
  }

  /** For the garbage collector: forgets these at once, children before their parents; one that has a child stays. */
  sweep(keys: readonly string[]): readonly string[] {
    const gone: Row[] = [];
    this.#db.transaction(() => {
      for (const key of keys) {
        const row = this.#lookup(key);
        if (row === undefined || this.#db.get('select 1 from snapshots where parent = ?', numberOf(row, 'id'))) continue;
        this.#db.run('delete from snapshots where id = ?', numberOf(row, 'id'));
        gone.push(row);
      }
    });
    // Numbers are not used again: nobody minds that the files are still there.
    for (const row of gone) this.#deleteLater(this.#home(row));
    return gone.map((row) => textOf(row, 'key'));
  }

  #deleteLater(directory: string): void {
    const name = path.basename(directory);
    const removal = name.startsWith('removed-') ? this.#deleteFiles(directory) : this.#removeFiles(name);
    removal.catch((error: unknown) =>
      this.#log.warn('files of a removed snapshot stay until the next cleanup', { path: directory, error: errorMessage(error) }),
    );
  }

  async *walk(filters: readonly string[] = []): AsyncIterable<SnapshotInfo> {
    const wanted = parseFilters(filters);
    for (const row of this.#db.all('select * from snapshots order by id')) {
      const info = this.#toInfo(row);
      if (wanted(fieldsOf({ name: info.key, parent: info.parent ?? '', kind: info.kind }, { labels: info.labels }))) yield info;
    }
  }

  async cleanup(): Promise<void> {
    const kept = Number(this.#db.get('select value from facts where name = ?', keptFact)?.['value'] ?? 0);
    for (const name of await readdir(this.#directory)) {
      if (/^removed-\d+$/.test(name)) await this.#removeFiles(name.slice('removed-'.length));
      const id = /^\d+$/.test(name) ? Number(name) : 0;
      if (id > kept && !this.#db.get('select 1 from snapshots where id = ?', id)) await this.#removeFiles(name);
    }
  }

  async unpackTarget(key: string): Promise<{ readonly dir: string; readonly whiteouts: 'overlay' | 'plain' }> {
    const row = this.#find(key);
    if (row['kind'] !== 'active') throw failedPrecondition(key, `is ${textOf(row, 'kind')}, not active`);
    return { dir: this.#files(row), whiteouts: 'overlay' };
  }

  async #create(kind: SnapshotKind, key: string, parent: string | undefined, labels: Readonly<Record<string, string>> | undefined): Promise<SnapshotMount> {
    checkKey(key);
    const row = this.#db.transaction(() => {
      if (this.#lookup(key)) throw alreadyExists(key);
      const parentRow = parent === undefined ? undefined : this.#committed(parent);
      if (parentRow && this.#chain(parentRow).length > maxLowers) throw failedPrecondition(key, `would have more than ${maxLowers} layers below it`);
      const at = this.#now().getTime();
      this.#db.run(
        'insert into snapshots (key, parent, kind, labels, created, updated) values (?, ?, ?, ?, ?, ?)',
        key,
        parentRow === undefined ? null : numberOf(parentRow, 'id'),
        kind,
        labelsText(labels),
        at,
        at,
      );
      return this.#find(key);
    });
    try {
      await this.#makeFiles(row);
      return this.#mount(row);
    } catch (error) {
      this.#db.run('delete from snapshots where id = ?', numberOf(row, 'id'));
      await this.#removeFiles(String(numberOf(row, 'id')));
      throw error;
    }
  }

  /** Nobody but root reaches a layer by path: overlayfs looks below with the credentials of who mounted it (CVE-2021-41091). */
  async #makeFiles(row: Row): Promise<void> {
    const home = this.#home(row);
    await mkdir(home, { mode: 0o700 });
    const files = this.#files(row);
    await mkdir(files, { mode: 0o755 });
    await chmod(files, 0o755);
    if (row['kind'] === 'active') await mkdir(path.join(home, 'work'), { mode: 0o700 });
    const parent = this.#parent(row);
    if (parent) await copyRoot(this.#files(parent), files);
  }

  #mount(row: Row): SnapshotMount {
    const parent = this.#parent(row);
    const lowers = parent === undefined ? [] : this.#chain(parent).map((entry) => this.#files(entry));
    const readonly = row['kind'] === 'view';
    if (!readonly && lowers.length > 0) return { type: 'overlay', lowers, upper: this.#files(row), work: path.join(this.#home(row), 'work'), readonly };
    if (lowers.length > 1) return { type: 'overlay', lowers, upper: undefined, work: undefined, readonly };
    return { type: 'bind', source: lowers[0] ?? this.#files(row), readonly };
  }

  /** The snapshot and all below it, uppermost first. */
  #chain(row: Row): Row[] {
    const chain: Row[] = [];
    for (let next: Row | undefined = row; next; next = this.#parent(next)) chain.push(next);
    return chain;
  }

  #parent(row: Row): Row | undefined {
    return row['parent'] === null ? undefined : this.#db.get('select * from snapshots where id = ?', numberOf(row, 'parent'));
  }

  #lookup(key: string): Row | undefined {
    return this.#db.get('select * from snapshots where key = ?', key);
  }

  #find(key: string): Row {
    const row = this.#lookup(key);
    if (row === undefined) throw new StrakeError('NotFound', `snapshot ${key}: not found`, { fields: { layer: 'core', snapshot: key } });
    return row;
  }

  #committed(key: string): Row {
    const row = this.#find(key);
    if (row['kind'] !== 'committed')
      throw new StrakeError('InvalidArgument', `snapshot ${key} is not committed: it cannot be a parent`, { fields: { layer: 'core' } });
    return row;
  }

  #toInfo(row: Row): SnapshotInfo {
    const parent = this.#parent(row);
    return {
      key: textOf(row, 'key'),
      parent: parent === undefined ? undefined : textOf(parent, 'key'),
      kind: textOf(row, 'kind') as SnapshotKind,
      labels: labelsOf(row),
      createdAt: timeOf(row, 'created'),
      updatedAt: timeOf(row, 'updated'),
    };
  }

  #home(row: Row): string {
    return path.join(this.#directory, String(numberOf(row, 'id')));
  }

  #files(row: Row): string {
    return path.join(this.#home(row), 'fs');
  }

  /** Renamed first, so that a removal cut short leaves nothing that looks like a snapshot. */
  async #rename(name: string): Promise<string> {
    const removed = path.join(this.#directory, `removed-${name}`);
    try {
      await rename(path.join(this.#directory, name), removed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return removed;
  }

  async #deleteFiles(removed: string): Promise<void> {
    try {
      await rm(removed, { recursive: true, force: true });
    } catch {
      // A tree deeper than a path is long: the session walks by descriptors.
      await using tree = await this.#openFileTree(this.#directory);
      await tree.write([{ op: 'file_remove', side: 'file', path: path.basename(removed) }]);
      await tree.sync(false);
    }
  }

  async #removeFiles(name: string): Promise<void> {
    await this.#deleteFiles(await this.#rename(name));
  }

  /** With a new database over old directories (the old one was damaged), containers may still run on them: they stay, and numbers go on after them. */
  #keepForeign(log: Logger): void {
    const highest = Math.max(
      0,
      ...readdirSync(this.#directory)
        .filter((name) => /^\d{1,15}$/.test(name))
        .map(Number),
    );
    const known = Number(this.#db.get(`select seq from sqlite_sequence where name = 'snapshots'`)?.['seq'] ?? 0);
    if (highest <= known) return;
    log.warn('snapshots of an earlier database are kept', { directory: this.#directory, upTo: highest });
    this.#db.transaction(() => {
      this.#db.run('insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value', keptFact, highest);
      this.#db.run(`insert into snapshots (id, key, kind, labels, created, updated) values (?, ?, 'view', '{}', 0, 0)`, highest, `number ${highest}`);
      this.#db.run('delete from snapshots where id = ?', highest);
    });
  }
}

/** The root directory of a container's own layer is what `/` looks like: it takes after the layer below. */
async function copyRoot(from: string, to: string): Promise<void> {
  const { mode, uid, gid } = await lstat(from);
  await chown(to, uid, gid);
  await chmod(to, mode & 0o7777);
}

function checkKey(key: string): void {
  if (key === '' || Buffer.byteLength(key) > maxKeyBytes || key.includes('\0'))
    throw new StrakeError('InvalidArgument', `snapshot key ${JSON.stringify(key.slice(0, 80))} is not valid`, { fields: { layer: 'core' } });
}

function alreadyExists(key: string): StrakeError {
  return new StrakeError('AlreadyExists', `snapshot ${key}: already exists`, { fields: { layer: 'core', snapshot: key } });
}

function failedPrecondition(key: string, problem: string): StrakeError {
  return new StrakeError('FailedPrecondition', `snapshot ${key} ${problem}`, { fields: { layer: 'core', snapshot: key } });
}
