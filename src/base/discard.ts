import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const prefix = '.removed-';
/** Who still works in a discarded directory is about to end. */
const removeAttempts = 8;
const removePauseMs = 20;

/**
 * Takes a directory away: its name is free when this returns, its files go in the background (an unlink can cost a millisecond of
 * journal). Missing is fine. What a crash leaves behind is for `sweepDiscarded`.
 */
export function discardDirectory(directory: string, onError: (error: unknown) => void): void {
  // A directory of the same name may be on its way out still.
  const removed = path.join(path.dirname(directory), `${prefix}${path.basename(directory)}-${randomBytes(4).toString('hex')}`);
  try {
    renameSync(directory, removed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  removeDirectory(removed).catch(onError);
}

/**
 * Removes a directory in which others may still be removing, too. Missing is fine. Bun's `rm` with `force` resolves and leaves the rest when something inside vanishes under it, as a monitor's socket does when it ends;
 * its `rmSync` does the same.
 */
export async function removeDirectory(directory: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failure = await rm(directory, { recursive: true, force: true }).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!existsSync(directory)) return;
    if (attempt === removeAttempts) throw failure ?? new Error(`${directory} is still there`);
    await delay(attempt * removePauseMs);
  }
}

/** Deletes what earlier lives of the process discarded below `parent`, and says which of its entries are left. */
export async function sweepDiscarded(parent: string): Promise<readonly string[]> {
  const names = readdirSync(parent);
  await Promise.all(names.filter((name) => name.startsWith(prefix)).map(async (name) => await removeDirectory(path.join(parent, name))));
  return names.filter((name) => !name.startsWith(prefix));
}
