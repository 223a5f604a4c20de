import { readFileSync } from 'node:fs';
import { errorMessage, type Logger } from '../../../base/index.ts';
import type { OpenFileTree } from '../../diff/diff.ts';
import { type MetadataDatabase, numberOf, textOf } from '../../metadata/index.ts';

/** A sync comes so long after the last commit, so that an image of many layers costs one; and at the latest so long after the first. */
const defaultQuietMs = 5_000;
const longestMs = 30_000;

export interface UnsyncedOptions {
  readonly db: MetadataDatabase;
  /** Where the files of all snapshots are. */
  readonly directory: string;
  readonly openFileTree: OpenFileTree;
  readonly log: Logger;
  /** Another one after each start of the machine; the kernel's unless told. */
  readonly bootId?: string | undefined;
  /** Instead of 5 s. */
  readonly quietMs?: number | undefined;
}

export interface LostSnapshot {
  /** Names its directory. */
  readonly id: number;
  readonly namespace: string;
  readonly key: string;
}

/**
 * Which committed snapshots no syncfs has confirmed yet, and the syncfs that will: in the background, for all of them at once. It is written down in which
 * boot each was made. In another boot those files may be what a power loss left of them: such a snapshot is lost, and is to be made again.
 */
export class UnsyncedSnapshots implements Disposable {
  readonly #options: UnsyncedOptions;
  readonly #bootId: string;
  #timer: NodeJS.Timeout | undefined;
  #since: number | undefined;
  #disposed = false;

  constructor(options: UnsyncedOptions) {
    this.#options = options;
    this.#bootId = options.bootId ?? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (this.#numbers().length > 0) this.#syncLater();
  }

  /** In the transaction that records the commit. */
  add(id: number): void {
    this.#options.db.run('insert into unsynced_snapshots (id, boot) values (?, ?) on conflict (id) do update set boot = excluded.boot', id, this.#bootId);
    this.#syncLater();
  }

  /** Those that an earlier boot has not brought to the disk. */
  lost(): readonly LostSnapshot[] {
    return this.#options.db
      .all('select id, namespace, key from unsynced_snapshots join snapshots using (id) where boot != ? order by id', this.#bootId)
      .map((row) => ({ id: numberOf(row, 'id'), namespace: textOf(row, 'namespace'), key: textOf(row, 'key') }));
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
  }

  #numbers(): number[] {
    return this.#options.db.all('select id from unsynced_snapshots where boot = ?', this.#bootId).map((row) => numberOf(row, 'id'));
  }

  #syncLater(): void {
    if (this.#disposed) return;
    const now = performance.now();
    this.#since ??= now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#sync(), Math.max(0, Math.min(this.#options.quietMs ?? defaultQuietMs, this.#since + longestMs - now)));
    this.#timer.unref();
  }

  async #sync(): Promise<void> {
    const { db, directory, openFileTree, log } = this.#options;
    this.#since = undefined;
    const ids = this.#numbers();
    try {
      {
        await using tree = await openFileTree(directory);
        await tree.sync(true);
      }
      if (this.#disposed) return;
      db.transaction(() => {
        for (const id of ids) db.run('delete from unsynced_snapshots where id = ?', id);
      });
    } catch (error) {
      if (!this.#disposed) log.warn('snapshots could not be synced: after a power loss they would be unpacked again', { error: errorMessage(error) });
    }
  }
}
