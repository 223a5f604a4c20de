import { comparePaths } from '../../base/index.ts';
import type { WalkEntry } from '../../kernel/index.ts';
import type { FileTree } from './diff.ts';
import { type Difference, sameMetadata, sameRoot } from './differences.ts';

export interface MergedOptions {
  readonly lower: FileTree | undefined;
  readonly upper: FileTree;
  /** Whether two files hold the same bytes: asked of those whose size and time are equal, where the time is in whole seconds, as archives set it. */
  readonly sameContent: (path: string) => Promise<boolean>;
}

const batchEntries = 256;
const second = 1_000_000_000n;

/** What differs between two trees that are each whole. Every entry of the upper one is told, those that are the same too. */
export async function* mergedDifferences({ lower, upper, sameContent }: MergedOptions): AsyncGenerator<readonly Difference[]> {
  const before = new Cursor(lower);
  const after = new Cursor(upper);
  let batch: Difference[] = [];
  let [old, now] = [await before.next(), await after.next()];
  while (old !== undefined || now !== undefined) {
    const order = old === undefined ? 1 : now === undefined ? -1 : compareInTree(old.path, now.path);
    if (order < 0 && old !== undefined) {
      batch.push({ kind: 'deleted', path: old.path });
      old = await before.skip(old);
    } else if (order > 0 && now !== undefined) {
      batch.push({ kind: 'added', entry: now });
      now = await after.next();
    } else if (old !== undefined && now !== undefined) {
      batch.push({ kind: (await isSame(old, now, sameContent)) ? 'same' : 'modified', entry: now });
      const bothDirectories = isDirectory(old) && isDirectory(now);
      old = bothDirectories || !isDirectory(old) ? await before.next() : await before.skip(old);
      now = await after.next();
    }
    if (batch.length < batchEntries) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

async function isSame(old: WalkEntry, now: WalkEntry, sameContent: MergedOptions['sameContent']): Promise<boolean> {
  if (now.path === '') return sameRoot(old, now);
  if (!sameMetadata(old, now)) return false;
  const isFile = (now.mode & 0o170000) === 0o100000;
  if (!isFile || now.sizeBytes === 0 || now.mtimeNs % second !== 0n) return true;
  return await sameContent(now.path);
}

function isDirectory({ mode }: WalkEntry): boolean {
  return (mode & 0o170000) === 0o040000;
}

/** The order of a walk: a directory, then what it holds, then its next sibling. */
function compareInTree(a: string, b: string): number {
  if (a === b) return 0;
  const [partsA, partsB] = [a === '' ? [] : a.split('/'), b === '' ? [] : b.split('/')];
  for (const [index, part] of partsA.entries()) {
    const other = partsB[index];
    if (other === undefined) return 1;
    const order = comparePaths(part, other);
    if (order !== 0) return order;
  }
  return -1;
}

/** The entries of a tree one by one. */
class Cursor {
  readonly #batches: AsyncIterator<readonly { readonly type: string; readonly entry?: WalkEntry }[]> | undefined;
  #batch: WalkEntry[] = [];
  #at = 0;

  constructor(tree: FileTree | undefined) {
    this.#batches = tree?.walk('')[Symbol.asyncIterator]();
  }

  async next(): Promise<WalkEntry | undefined> {
    while (this.#at === this.#batch.length) {
      const result = await this.#batches?.next();
      if (result === undefined || result.done === true) return undefined;
      this.#batch = result.value.flatMap(({ entry }) => (entry === undefined ? [] : [entry]));
      this.#at = 0;
    }
    return this.#batch[this.#at++];
  }

  /** The next entry that is not below `entry`. */
  async skip(entry: WalkEntry): Promise<WalkEntry | undefined> {
    let next = await this.next();
    while (next?.path.startsWith(`${entry.path}/`)) next = await this.next();
    return next;
  }
}
