import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorMessage, type Logger } from '../../../base/index.ts';
import type { OpenFileTree } from '../../diff/diff.ts';
import { type MetadataDatabase, numberOf } from '../../metadata/index.ts';

/** Snapshots up to this number belong to an earlier, damaged database: their files stay. */
const keptFact = 'snapshots kept up to';

export interface DirectoriesOptions {
  readonly root: string;
  readonly db: MetadataDatabase;
  readonly openFileTree: OpenFileTree;
  readonly log: Logger;
}

/** Where the files of snapshots are: `<root>/snapshots/NUMBER/{fs,work}`. Short, as overlayfs takes many of them in one mount. */
export class SnapshotDirectories {
  readonly #directory: string;
  readonly #options: DirectoriesOptions;
  /** Numbers that no record has yet. */
  readonly #making = new Set<number>();

  constructor(options: DirectoriesOptions) {
    this.#directory = path.join(options.root, 'snapshots');
    this.#options = options;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#keepForeign();
  }

  get root(): string {
    return this.#directory;
  }

  files(id: number): string {
    return path.join(this.#directory, String(id), 'fs');
  }

  work(id: number): string {
    return path.join(this.#directory, String(id), 'work');
  }

  exists(id: number): boolean {
    return statSync(this.files(id), { throwIfNoEntry: false }) !== undefined;
  }

  /**
   * Makes the directory of a new snapshot, has `fill` make what is in it, and `record` its record: a daemon that dies in between leaves files without a record, which the next
   * start removes, never a record without files. Nothing is left when one of them fails.
   */
  async make<T>(fill: (id: number) => Promise<void>, record: (id: number) => T): Promise<T> {
    const id = this.#reserve();
    this.#making.add(id);
    try {
      // Nobody but root reaches a layer by path: overlayfs looks below with the credentials of who mounted it (CVE-2021-41091).
      mkdirSync(path.join(this.#directory, String(id)), { mode: 0o700 });
      await fill(id);
      return record(id);
    } catch (error) {
      await this.removeNow(id);
      throw error;
    } finally {
      this.#making.delete(id);
    }
  }

  /** Gives the files of one snapshot the number of another, whose own are gone. */
  async replace(id: number, by: number): Promise<void> {
    await this.removeNow(id);
    await rename(path.join(this.#directory, String(by)), path.join(this.#directory, String(id)));
  }

  async removeNow(id: number): Promise<void> {
    await this.#removeNamed(String(id));
  }

  /** Unlinking the files takes longer than all else of a removal: nobody waits for them. Their name is taken away first. */
  async remove(id: number): Promise<void> {
    this.#deleteLater(this.#delete(await this.#rename(String(id))), id);
  }

  /** As `remove`, at once: numbers are not used again, so nobody minds that the files are still there. */
  removeLater(id: number): void {
    this.#deleteLater(this.removeNow(id), id);
  }

  /** What removals that were cut short left, and directories whose number is not known. */
  async cleanup(isKnown: (id: number) => boolean): Promise<void> {
    const kept = Number(this.#options.db.get('select value from facts where name = ?', keptFact)?.['value'] ?? 0);
    for (const name of await readdir(this.#directory)) {
      if (/^removed-\d+$/.test(name)) await this.#removeNamed(name.slice('removed-'.length));
      const id = /^\d+$/.test(name) ? Number(name) : 0;
      if (id > kept && !isKnown(id) && !this.#making.has(id)) await this.#removeNamed(name);
    }
  }

  /** A number that is never given again. */
  #reserve(): number {
    const { db } = this.#options;
    return db.transaction(() => {
      const row = db.get(`update sqlite_sequence set seq = seq + 1 where name = 'snapshots' returning seq`);
      if (row !== undefined) return numberOf(row, 'seq');
      db.run(`insert into sqlite_sequence (name, seq) values ('snapshots', 1)`);
      return 1;
    });
  }

  #deleteLater(removal: Promise<void>, id: number): void {
    removal.catch((error: unknown) =>
      this.#options.log.warn('files of a removed snapshot stay until the next cleanup', { snapshot: id, error: errorMessage(error) }),
    );
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

  async #delete(removed: string): Promise<void> {
    try {
      await rm(removed, { recursive: true, force: true });
    } catch {
      // A tree deeper than a path is long: the session walks by descriptors.
      await using tree = await this.#options.openFileTree(this.#directory);
      await tree.write([{ op: 'file_remove', side: 'file', path: path.basename(removed) }]);
      await tree.sync(false);
    }
  }

  async #removeNamed(name: string): Promise<void> {
    await this.#delete(await this.#rename(name));
  }

  /** With a new database over old directories (the old one was damaged), containers may still run on them: they stay, and numbers go on after them. */
  #keepForeign(): void {
    const { db, log } = this.#options;
    const highest = Math.max(
      0,
      ...readdirSync(this.#directory)
        .filter((name) => /^\d{1,15}$/.test(name))
        .map(Number),
    );
    const known = Number(db.get(`select seq from sqlite_sequence where name = 'snapshots'`)?.['seq'] ?? 0);
    if (highest <= known) return;
    log.warn('snapshots of an earlier database are kept', { directory: this.#directory, upTo: highest });
    db.transaction(() => {
      db.run('insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value', keptFact, highest);
      db.run(`insert into snapshots (id, namespace, snapshotter, key, kind, labels, created, updated) values (?, '', '', '', 'view', '{}', 0, 0)`, highest);
      db.run('delete from snapshots where id = ?', highest);
    });
  }
}
