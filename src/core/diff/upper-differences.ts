import type { WalkEntry } from '../../kernel/index.ts';
import type { FileTree } from './diff.ts';
import { type Difference, orMissing, sameRoot } from './differences.ts';
import { isDirectory, isOpaque, isOverlayWhiteout } from './tree-tar.ts';

export interface UpperOptions {
  /** The uppermost directory of an overlay. */
  readonly upper: FileTree;
  /** What the directories below it show together. */
  readonly lower: FileTree | undefined;
  /** `content` for a layer: what is there counts as modified. `names` for a list: whether it is new is looked up. */
  readonly want: 'content' | 'names';
}

/** What the writable directory of an overlay changes, as overlayfs has marked it there. */
export async function* upperDifferences({ upper, lower, want }: UpperOptions): AsyncGenerator<readonly Difference[]> {
  for await (const items of upper.walk('', { content: want === 'content' })) {
    const found = items.map(async (item): Promise<Difference[]> => {
      if (item.type === 'data') return [{ kind: 'data', data: item.data }];
      return await differenceOf(item.entry, lower, want);
    });
    yield (await Promise.all(found)).flat();
  }
}

async function differenceOf(entry: WalkEntry, lower: FileTree | undefined, want: UpperOptions['want']): Promise<Difference[]> {
  const { path } = entry;
  if (isOverlayWhiteout(entry)) return lower === undefined ? [] : [{ kind: 'deleted', path }];
  const opaque = isDirectory(entry) && isOpaque(entry);
  if (want === 'content' && !opaque && path !== '') return [{ kind: 'modified', entry }];
  const before = await orMissing(lower?.stat(path === '' ? '.' : path) ?? Promise.resolve(undefined));
  if (before === undefined) return [{ kind: path === '' && isPlainRoot(entry) ? 'same' : 'added', entry }];
  const bothDirectories = isDirectory(entry) && (before.mode & 0o170000) === 0o040000;
  if (path === '') return [{ kind: sameRoot({ ...entry, xattrs: [] }, before) ? 'same' : 'modified', entry }];
  // A directory is copied up for what it holds; its time says whether it changed itself.
  const same = want === 'names' && bothDirectories && !opaque && sameRoot({ ...entry, xattrs: [] }, before) && entry.mtimeNs === before.mtimeNs;
  const difference: Difference = { kind: same ? 'same' : 'modified', entry };
  return opaque && bothDirectories ? [difference, { kind: 'opaque', path }] : [difference];
}

/** As every snapshot's is made: an empty tree says nothing of it. */
function isPlainRoot({ mode, uid, gid }: WalkEntry): boolean {
  return (mode & 0o7777) === 0o755 && uid === 0 && gid === 0;
}
