import type { WalkEntry } from '../../kernel/index.ts';
import type { Difference } from './differences.ts';
import { endOfArchive } from './tar/encode.ts';
import { isDirectory, TreeTar } from './tree-tar.ts';

/** Content of a file of the upper tree, for differences that do not bring it. */
type ReadContent = (path: string) => AsyncIterable<Uint8Array>;

/** Makes a layer of differences: whiteouts, and before whatever differs the directories that it is in, since a layer says what those are too. `latestNs`: no time in it is later. */
export async function* writeLayer(differences: AsyncIterable<readonly Difference[]>, read: ReadContent, latestNs?: bigint): AsyncGenerator<Uint8Array> {
  const writer = new LayerWriter(latestNs);
  for await (const batch of differences) {
    for (const difference of batch) {
      // Content comes by itself, or is asked for: of the names of a changed file that came before, too.
      for (const entry of writer.put(difference)) {
        for await (const piece of read(entry.path)) {
          writer.data(piece);
          if (writer.isFull) yield writer.take();
        }
      }
    }
    if (writer.isFull) yield writer.take();
  }
  yield Buffer.concat([writer.take(), endOfArchive]);
}

interface Directory {
  readonly entry: WalkEntry;
  put: boolean;
}

/** A name, and the directories around it, outermost first. */
interface Placed {
  readonly entry: WalkEntry;
  readonly around: readonly Directory[];
}

class LayerWriter {
  readonly #tar: TreeTar;
  #around: readonly Directory[] = [];
  /** Files with several names of which none differed so far, by inode. */
  readonly #unchanged = new Map<bigint, Placed[]>();
  readonly #changed = new Set<bigint>();

  constructor(latestNs: bigint | undefined) {
    this.#tar = new TreeTar(latestNs);
  }

  /** Answers the files whose content must come now, each before the next is asked for. */
  *put(difference: Difference): Generator<WalkEntry> {
    switch (difference.kind) {
      case 'data':
        this.data(difference.data);
        break;
      case 'deleted':
        this.#enter(difference.path);
        this.#putAround(this.#around);
        this.#tar.whiteout(difference.path);
        break;
      case 'opaque':
        this.#tar.opaque(difference.path);
        break;
      default:
        yield* this.#entry(difference.entry, difference.kind !== 'same');
    }
  }

  data(bytes: Uint8Array): void {
    this.#tar.data(bytes);
  }

  get isFull(): boolean {
    return this.#tar.isFull;
  }

  take(): Uint8Array {
    return this.#tar.take();
  }

  *#entry(entry: WalkEntry, differs: boolean): Generator<WalkEntry> {
    this.#enter(entry.path);
    const placed = { entry, around: this.#around };
    if (isDirectory(entry)) {
      if (differs) this.#put(placed);
      this.#around = [...this.#around, { entry, put: differs }];
      return;
    }
    const linked = entry.links > 1;
    const before = linked ? (this.#unchanged.get(entry.inode) ?? []) : [];
    if (!differs && !(linked && this.#changed.has(entry.inode))) {
      if (linked) this.#unchanged.set(entry.inode, [...before, placed]);
      return;
    }
    // Names of one file stay names of one file: those that did not differ come along.
    if (linked) this.#changed.add(entry.inode);
    this.#unchanged.delete(entry.inode);
    for (const one of [...before, placed]) if (this.#put(one) && !one.entry.hasContent) yield one.entry;
  }

  /** Leaves the directories that do not hold `path`. */
  #enter(path: string): void {
    const inside = this.#around.findIndex(({ entry }) => !isBelow(path, entry.path));
    if (inside !== -1) this.#around = this.#around.slice(0, inside);
  }

  #put({ entry, around }: Placed): boolean {
    this.#putAround(around);
    return this.#tar.put(entry);
  }

  #putAround(around: readonly Directory[]): void {
    for (const directory of around) {
      // The root says nothing unless it differs: layers need not have it.
      if (!directory.put && directory.entry.path !== '') this.#tar.put(directory.entry);
      directory.put = true;
    }
  }
}

function isBelow(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`);
}
