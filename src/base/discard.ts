import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

const prefix = '.removed-';

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
  rm(removed, { recursive: true, force: true }).catch(onError);
}

/** Deletes what earlier lives of the process discarded below `parent`, and says which of its entries are left. */
export async function sweepDiscarded(parent: string): Promise<readonly string[]> {
  const names = readdirSync(parent);
  await Promise.all(names.filter((name) => name.startsWith(prefix)).map((name) => rm(path.join(parent, name), { recursive: true, force: true })));
  return names.filter((name) => !name.startsWith(prefix));
}
