import { renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { namesIn } from '../../base/index.ts';

export interface LogLimits {
  readonly maxBytes: number;
  /** Of a container, the one that is written among them; at least 2. */
  readonly maxFiles: number;
}

/**
 * Puts a log that has grown to its limit aside, as `FILE.TIME`, has the runtime begin a new one by `reopen`, and removes the oldest. When the runtime does not, the
 * log is what it was.
 */
export async function rotateLog(file: string, { maxBytes, maxFiles }: LogLimits, reopen: () => Promise<void>): Promise<void> {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) < maxBytes) return;
  // In the order of their names, which is that of their times.
  const old = rotatedLogs(file);
  for (const surplus of old.slice(0, Math.max(0, old.length - (maxFiles - 2)))) rmSync(surplus, { force: true });
  const aside = `${file}.${new Date().toISOString().replace(/\D/g, '')}`;
  renameSync(file, aside);
  try {
    await reopen();
  } catch (error) {
    renameSync(aside, file);
    throw error;
  }
}

/** Removes a container's log and those put aside. */
export function removeLogs(file: string): void {
  if (file === '') return;
  for (const path of [file, ...rotatedLogs(file)]) rmSync(path, { force: true });
}

function rotatedLogs(file: string): string[] {
  const prefix = `${basename(file)}.`;
  return namesIn(dirname(file))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(dirname(file), name));
}
