import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of the regular files below a directory, each inode once; symlinks are not followed. What vanishes meanwhile counts nothing. */
export async function treeSizeBytes(directory: string): Promise<number> {
  const seen = new Set<string>();
  const pending = [directory];
  let total = 0;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      const child = path.join(at, entry.name);
      if (entry.isDirectory()) pending.push(child);
      else if (entry.isFile()) {
        const stat = await lstat(child).catch(() => undefined);
        if (stat === undefined) continue;
        const inode = `${stat.dev}:${stat.ino}`;
        if (stat.nlink > 1 && seen.has(inode)) continue;
        if (stat.nlink > 1) seen.add(inode);
        total += stat.size;
      }
    }
  }
  return total;
}
