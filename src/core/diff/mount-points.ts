import type { WalkEntry } from '../../kernel/index.ts';
import type { FileTree } from './diff.ts';
import { type Difference, orMissing, sameRoot } from './differences.ts';
import { isDirectory } from './tree-tar.ts';

const typeMask = 0o170000;
const regularFile = 0o100000;

/**
 * Leaves out the empty files and directories at `paths` that are new: a container's start makes them to mount something there, which is no change of its
 * files. Nor has a directory changed in which nothing but these is new. `paths` are without a leading slash.
 */
export async function* withoutMountPoints(
  differences: AsyncIterable<readonly Difference[]>,
  lower: () => Promise<FileTree | undefined>,
  paths: ReadonlySet<string>,
): AsyncGenerator<readonly Difference[]> {
  const parents = new Set([...paths].map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  for await (const batch of differences) {
    const kept: Difference[] = [];
    for (const difference of batch) {
      const changed = await unlessMountPoint(difference, lower, paths, parents);
      if (changed !== undefined) kept.push(changed);
    }
    if (kept.length > 0) yield kept;
  }
}

async function unlessMountPoint(
  difference: Difference,
  lower: () => Promise<FileTree | undefined>,
  paths: ReadonlySet<string>,
  parents: ReadonlySet<string>,
): Promise<Difference | undefined> {
  if (difference.kind !== 'added' && difference.kind !== 'modified') return difference;
  const { entry } = difference;
  const isParent = difference.kind === 'modified' && entry.path !== '' && isDirectory(entry) && parents.has(entry.path);
  if (!isParent && !(paths.has(entry.path) && isEmpty(entry))) return difference;
  const before = await orMissing((await lower())?.stat(entry.path) ?? Promise.resolve(undefined));
  if (before === undefined) return paths.has(entry.path) ? undefined : difference;
  // Its time alone: that changes with what is made in it, and says nothing when nothing of that counts.
  return isParent && sameRoot({ ...entry, xattrs: [] }, before) ? { kind: 'same', entry } : difference;
}

function isEmpty(entry: WalkEntry): boolean {
  return isDirectory(entry) || ((entry.mode & typeMask) === regularFile && entry.sizeBytes === 0);
}
