import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const repository = join(import.meta.dirname, '../..');

/** What `npm run build` makes, and the tests run; STRAKE_DIST names another directory. */
export const strakeDist = resolve(process.env['STRAKE_DIST'] ?? join(repository, 'dist'));
/** The OCI runtime as the peer root sees it. */
export const strakeRuncInPeerRoot = '/strake/strake-runc';

/** Makes it anew when a source has changed. False when that fails, which has been said. */
export function buildIfStale(): boolean {
  return spawnSync(process.execPath, ['tools/build.ts', '--if-stale'], { cwd: repository, stdio: 'inherit' }).status === 0;
}
