import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StrakeError } from '../../base/index.ts';

/**
 * One daemon per data root. Node has no flock(2), so SQLite's lock (fcntl(2)) is held for the life of the process: the kernel lets it go
 * with the process, however that ends, so there are no stale locks and no process ids to compare.
 */
export function lockDataRoot(dataRoot: string): Disposable {
  mkdirSync(dataRoot, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path.join(dataRoot, 'daemon.lock'));
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new StrakeError('FailedPrecondition', `data root ${dataRoot} is in use by another daemon`, {
      cause,
      fields: { layer: 'daemon', operation: 'lock', remedy: 'end that one, or give this one a root and a run directory of its own' },
    });
  }
  return {
    [Symbol.dispose]() {
      database.close();
    },
  };
}
