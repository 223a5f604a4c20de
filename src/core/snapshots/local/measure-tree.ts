import type { FileTree } from '../../diff/diff.ts';
import type { SnapshotUsage } from '../snapshots.ts';

const directoryType = 4;
/** Questions under way at once: enough that the round trip does not count. */
const batch = 256;

/** Bytes of everything but directories, and the number of inodes; a hard link counts once. Nothing is followed, and the tree may change meanwhile. */
export async function measureTree(tree: FileTree): Promise<SnapshotUsage> {
  let sizeBytes = 0;
  let inodes = 1;
  const linked = new Set<bigint>();
  const directories = ['.'];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    const entries = await orMissing(tree.list(directory));
    const files: string[] = [];
    for (const { name, type } of entries ?? []) {
      if (name === '.' || name === '..') continue;
      inodes++;
      (type === directoryType ? directories : files).push(`${directory}/${name}`);
    }
    for (let start = 0; start < files.length; start += batch) {
      const stats = await Promise.all(files.slice(start, start + batch).map(async (file) => await orMissing(tree.stat(file))));
      for (const stat of stats) {
        if (stat === undefined) continue;
        if (stat.links > 1n && linked.has(stat.inode)) {
          inodes--;
          continue;
        }
        if (stat.links > 1n) linked.add(stat.inode);
        sizeBytes += Number(stat.sizeBytes);
      }
    }
  }
  return { sizeBytes, inodes };
}

/** What was removed between the question and the answer counts nothing. */
async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { errno } = (error as { readonly fields?: { readonly errno?: string } }).fields ?? {};
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw error;
  }
}
