import { readFileSync } from 'node:fs';
import { comparePaths } from '../../base/index.ts';
import type { IdMap } from '../../runtime/index.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';
import type { Change, CompareOptions, Comparer, FileTree, OpenFileTree } from './diff.ts';
import type { Difference } from './differences.ts';
import { writeLayer } from './layer-writer.ts';
import { mergedDifferences } from './merged-differences.ts';
import { withoutMountPoints } from './mount-points.ts';
import { stackOf } from './stack.ts';
import { unmappedTree } from './unmapped-tree.ts';
import { upperDifferences } from './upper-differences.ts';

export interface ComparerOptions {
  readonly openFileTree: OpenFileTree;
  /** Whether writable directories of overlays may refer to what lies below them, so that alone they do not say what they show. The kernel's settings by default. */
  readonly overlayRefers?: () => boolean;
}

/** Compares what snapshots show, through file sessions. */
export function createComparer({ openFileTree, overlayRefers = kernelOverlayRefers }: ComparerOptions): Comparer {
  const compared = async (lower: SnapshotMount | undefined, upper: SnapshotMount, want: 'content' | 'names', options: CompareOptions) => {
    const { signal, mountPoints = [] } = options;
    const trees = new Trees(openFileTree, signal);
    try {
      const [top = '', ...below] = stackOf(upper);
      const isDirect = !overlayRefers() && sameStack(below, lower === undefined ? [] : stackOf(lower));
      const before = lower === undefined ? undefined : await trees.open(lower);
      const place = isDirect ? { place: top, idMap: writableIdMap(upper) } : upper;
      const after = await trees.open(place);
      const differences = isDirect
        ? upperDifferences({ upper: after, lower: before, want })
        : mergedDifferences({ lower: before, upper: after, sameContent: sameContentIn(trees, lower, upper) });
      const asked = async () => (lower === undefined ? undefined : await trees.reader(lower));
      const counted = mountPoints.length === 0 ? differences : withoutMountPoints(differences, asked, new Set(mountPoints.map((path) => path.slice(1))));
      return { trees, differences: counted, upper: place };
    } catch (error) {
      await trees[Symbol.asyncDispose]();
      throw error;
    }
  };

  async function* layer(lower: SnapshotMount | undefined, upper: SnapshotMount, options: CompareOptions = {}): AsyncGenerator<Uint8Array> {
    const found = await compared(lower, upper, 'content', options);
    await using trees = found.trees;
    yield* writeLayer(
      found.differences,
      async function* (path) {
        yield* (await trees.reader(found.upper)).readStream(path);
      },
      options.latestNs,
    );
  }

  async function* changes(lower: SnapshotMount | undefined, upper: SnapshotMount, options: CompareOptions = {}): AsyncGenerator<readonly Change[]> {
    const found = await compared(lower, upper, 'names', options);
    await using trees = found.trees;
    for await (const batch of found.differences) {
      const listed: Change[] = [];
      for (const difference of batch) listed.push(...(await changesOf(difference, trees, lower, found.upper)));
      if (listed.length > 0) yield listed;
    }
  }

  return { layer, changes };
}

async function changesOf(difference: Difference, trees: Trees, lower: SnapshotMount | undefined, upper: Place): Promise<Change[]> {
  switch (difference.kind) {
    case 'added':
    case 'modified':
      return difference.entry.path === '' ? [] : [{ kind: difference.kind, path: `/${difference.entry.path}` }];
    case 'deleted':
      return [{ kind: 'deleted', path: `/${difference.path}` }];
    case 'opaque':
      return await hiddenBelow(difference.path, trees, lower, upper);
    default:
      return [];
  }
}

/** The names that an opaque directory hides. */
async function hiddenBelow(path: string, trees: Trees, lower: SnapshotMount | undefined, upper: Place): Promise<Change[]> {
  if (lower === undefined) return [];
  const [before, after] = [await trees.reader(lower), await trees.reader(upper)];
  const kept = new Set((await after.list(path)).map(({ name }) => name));
  const gone = (await before.list(path)).map(({ name }) => name).filter((name) => !kept.has(name));
  return gone.sort(comparePaths).map((name) => ({ kind: 'deleted', path: `/${path}/${name}` }));
}

function sameContentIn(trees: Trees, lower: SnapshotMount | undefined, upper: SnapshotMount): (path: string) => Promise<boolean> {
  return async (path) => {
    if (lower === undefined) return false;
    const [before, after] = [await trees.reader(lower), await trees.reader(upper)];
    return await sameBytes(before.readStream(path), after.readStream(path));
  };
}

/** Of two streams of the same length, cut into pieces anyhow. */
async function sameBytes(a: AsyncIterable<Uint8Array>, b: AsyncIterable<Uint8Array>): Promise<boolean> {
  const other = b[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  try {
    for await (const piece of a) {
      for (let left = piece; left.length > 0; ) {
        if (rest.length === 0) rest = ((await other.next()).value as Uint8Array | undefined) ?? new Uint8Array();
        const length = Math.min(left.length, rest.length);
        if (length === 0 || Buffer.compare(left.subarray(0, length), rest.subarray(0, length)) !== 0) return false;
        left = left.subarray(length);
        rest = rest.subarray(length);
      }
    }
    return true;
  } finally {
    await other.return?.();
  }
}

function sameStack(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((directory, index) => directory === b[index]);
}

/** With these a renamed directory, or a file of which only the mode changed, stays below with its content (kernel's overlayfs.rst). */
function kernelOverlayRefers(): boolean {
  return ['redirect_dir', 'metacopy'].some((name) => {
    try {
      return readFileSync(`/sys/module/overlay/parameters/${name}`, 'latin1').trim() === 'Y';
    } catch {
      return false;
    }
  });
}

/** The writable directory of an overlay has the owners that the snapshot shows; every other directory has those of its layer. */
function writableIdMap(mount: SnapshotMount): IdMap | undefined {
  return mount.type === 'overlay' && mount.upper !== undefined ? mount.idMap : undefined;
}

/** What a snapshot shows, or one directory, whose owners are mapped so. */
type Place = SnapshotMount | { readonly place: string; readonly idMap: IdMap | undefined };

/** Sessions that end together. Owners are those of the container. */
class Trees implements AsyncDisposable {
  readonly #open: OpenFileTree;
  readonly #signal: AbortSignal | undefined;
  readonly #opened = new AsyncDisposableStack();
  readonly #readers = new Map<string, Promise<FileTree>>();

  constructor(open: OpenFileTree, signal: AbortSignal | undefined) {
    this.#open = open;
    this.#signal = signal;
  }

  async open(place: Place): Promise<FileTree> {
    const tree = this.#opened.use(await this.#open('place' in place ? place.place : place, this.#signal === undefined ? {} : { signal: this.#signal }));
    return place.idMap === undefined ? tree : unmappedTree(tree, place.idMap);
  }

  /** One for questions, beside the sessions that walk. */
  async reader(place: Place): Promise<FileTree> {
    const key = JSON.stringify(place);
    const reader = this.#readers.get(key) ?? this.open(place);
    this.#readers.set(key, reader);
    return await reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
