import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ProjectedFile {
  readonly bytes: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

const current = '..data';

/**
 * Makes a directory show these files, all at once: whoever reads it sees the old ones or the new ones, through `..data`, a link that is replaced, as
 * Kubernetes' own kubelet does it. `gid` owns the files when it is given. Answers whether anything has changed.
 */
export function writeAtomically(directory: string, files: ReadonlyMap<string, ProjectedFile>, gid: number | undefined): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (shows(directory, files)) return false;
  const version = `..${randomBytes(6).toString('hex')}`;
  const place = join(directory, version);
  mkdirSync(place, { mode: 0o755 });
  for (const [name, { bytes, mode }] of files) {
    const file = join(place, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, bytes);
    // By itself: the mode at the creation is under the umask.
    chmodSync(file, gid === undefined ? mode : mode | 0o440);
    if (gid !== undefined) chownSync(file, -1, gid);
  }
  const old = target(join(directory, current));
  const next = join(directory, '..data_tmp');
  rmSync(next, { force: true });
  symlinkSync(version, next);
  renameSync(next, join(directory, current));
  const tops = new Set([...files.keys()].map((name) => name.split('/')[0] ?? ''));
  for (const name of readdirSync(directory)) if (!name.startsWith('..') && !tops.has(name)) rmSync(join(directory, name));
  for (const name of tops) if (target(join(directory, name)) === undefined) symlinkSync(`${current}/${name}`, join(directory, name));
  if (old !== undefined) rmSync(join(directory, old), { recursive: true, force: true });
  return true;
}

function shows(directory: string, files: ReadonlyMap<string, ProjectedFile>): boolean {
  const place = target(join(directory, current));
  if (place === undefined) return false;
  const names = readdirSync(join(directory, place), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (names.length !== files.size) return false;
  return [...files].every(([name, { bytes }]) => {
    try {
      return readFileSync(join(directory, place, name)).equals(bytes);
    } catch {
      return false;
    }
  });
}

/** Where a link leads; undefined: there is none. */
function target(link: string): string | undefined {
  try {
    return lstatSync(link).isSymbolicLink() ? readlinkSync(link) : undefined;
  } catch {
    return undefined;
  }
}
