import { open } from 'node:fs/promises';

/** Brings the names in directories to the disk; all who ask while a directory is being synced share its next sync. */
export class DirectorySync {
  readonly #last = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  /** The names that are there now survive a power loss when this is done. */
  async sync(directory: string): Promise<void> {
    let next = this.#next.get(directory);
    if (next === undefined) {
      next = this.#syncAfter(directory, this.#last.get(directory));
      this.#next.set(directory, next);
    }
    await next;
  }

  /** How the one before went is for those who asked for it. */
  async #syncAfter(directory: string, before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    this.#next.delete(directory);
    const sync = syncDirectory(directory);
    this.#last.set(directory, sync);
    await sync;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
