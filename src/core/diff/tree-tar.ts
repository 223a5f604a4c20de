import type { WalkEntry } from '../../kernel/index.ts';
import { encodeEntry, paddingOf } from './tar/encode.ts';
import type { EntryKind, TarEntry } from './tar/entry.ts';
import { isLayerXattr } from './xattrs.ts';

const pieceBytes = 256 << 10;

const typeMask = 0o170000;
/** inode(7) */
const kinds: ReadonlyMap<number, EntryKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o020000, 'character'],
  [0o060000, 'block'],
  [0o010000, 'fifo'],
]);

/** What an entry of a tree is in an archive; undefined: a socket, which archives do not have. */
export function kindOf({ mode }: WalkEntry): EntryKind | undefined {
  return kinds.get(mode & typeMask);
}

export function isDirectory({ mode }: WalkEntry): boolean {
  return (mode & typeMask) === 0o040000;
}

/** A whiteout as overlayfs has it: character device 0:0. */
export function isOverlayWhiteout({ mode, devMajor, devMinor }: WalkEntry): boolean {
  return (mode & typeMask) === 0o020000 && devMajor === 0 && devMinor === 0;
}

/** Whether it hides what the layers below have in this directory. */
export function isOpaque({ xattrs }: WalkEntry): boolean {
  return xattrs.some(([name, value]) => name === 'trusted.overlay.opaque' && value.toString('latin1') === 'y');
}

/**
 * Makes a tar stream of entries and their content, in pieces that are taken. The second name of a file becomes a hard link to the first that was put.
 * Directories end in a slash; the root is `./`.
 */
export class TreeTar {
  readonly #names = new Map<bigint, string>();
  readonly #latestNs: bigint | undefined;
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  #left = 0;
  #padding: Uint8Array = new Uint8Array();

  /** `latestNs`: no time in it is later, ns since the epoch. */
  constructor(latestNs?: bigint) {
    this.#latestNs = latestNs;
  }

  /** Puts an entry, as `name`. Whether content must follow: `hasContent` bytes of `data`. */
  put(entry: WalkEntry, name: string = entry.path): boolean {
    const kind = kindOf(entry);
    if (kind === undefined) return false;
    const first = entry.links > 1 && kind !== 'directory' ? this.#names.get(entry.inode) : undefined;
    if (entry.links > 1 && first === undefined) this.#names.set(entry.inode, name);
    const isFile = kind === 'file' && first === undefined;
    const made = tarEntry(entry, kind, name, first);
    const isLate = this.#latestNs !== undefined && made.mtimeNs > this.#latestNs;
    this.#push(encodeEntry(isLate ? { ...made, mtimeNs: this.#latestNs ?? 0n } : made));
    if (!isFile || entry.sizeBytes === 0) return false;
    this.#left = entry.sizeBytes;
    this.#padding = paddingOf(entry.sizeBytes);
    return true;
  }

  data(bytes: Uint8Array): void {
    this.#push(bytes);
    this.#left -= bytes.length;
    if (this.#left === 0) this.#push(this.#padding);
  }

  /** The mark of a layer that `path` of the layers below is gone. */
  whiteout(path: string): void {
    const slash = path.lastIndexOf('/') + 1;
    this.#mark(`${path.slice(0, slash)}.wh.${path.slice(slash)}`);
  }

  /** The mark of a layer that nothing of the layers below is in the directory. */
  opaque(directory: string): void {
    this.#mark(directory === '' ? '.wh..wh..opq' : `${directory}/.wh..wh..opq`);
  }

  #mark(name: string): void {
    const nothing = { linkName: '', uid: 0, gid: 0, sizeBytes: 0, mtimeNs: 0n, devMajor: 0, devMinor: 0, xattrs: [] };
    this.#push(encodeEntry({ ...nothing, kind: 'file', name, mode: 0o600 }));
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#partsBytes += bytes.length;
  }

  /** There is a piece to take that is worth a turn through what follows. */
  get isFull(): boolean {
    return this.#partsBytes >= pieceBytes;
  }

  /** What came together so far. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#parts, this.#partsBytes);
    this.#parts = [];
    this.#partsBytes = 0;
    return bytes;
  }
}

function tarEntry(entry: WalkEntry, kind: EntryKind, name: string, first: string | undefined): TarEntry {
  const { uid, gid, mtimeNs, devMajor, devMinor } = entry;
  const isLink = first !== undefined;
  return {
    kind: isLink ? 'link' : kind,
    name: kind === 'directory' ? `${name === '' ? '.' : name}/` : name,
    linkName: first ?? entry.linkTarget,
    mode: entry.mode & 0o7777,
    uid,
    gid,
    sizeBytes: kind === 'file' && !isLink ? entry.sizeBytes : 0,
    mtimeNs,
    devMajor,
    devMinor,
    // Of a link they are the file's, which has them already.
    xattrs: isLink ? [] : entry.xattrs.filter(([key]) => isLayerXattr(key)),
  };
}
