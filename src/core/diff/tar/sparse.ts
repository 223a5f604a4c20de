// Sparse files of GNU tar (its manual, "Storing Sparse Files"): the archive holds the parts that are no holes, one after the other.
import { blockBytes, damaged, exhausted, numberField } from './header.ts';
import type { PaxRecords } from './pax.ts';

export interface SparsePart {
  readonly offset: number;
  readonly bytes: number;
}

/** What is in a sparse file, and its size with all holes. */
export interface SparseMap {
  readonly parts: readonly SparsePart[];
  readonly sizeBytes: number;
}

const partBytes = 24;
/** The old format: parts in the header, then in blocks of their own as long as each says that one more follows. */
const old = { parts: 386, count: 4, more: 482, size: 483, blockCount: 21, blockMore: 504 } as const;

export interface OldSparse {
  readonly parts: SparsePart[];
  readonly sizeBytes: number;
}

/** From the header of type `S`. */
export function beginOldSparse(block: Buffer): OldSparse & { readonly more: boolean } {
  return { parts: oldParts(block, old.parts, old.count), sizeBytes: numberField(block, old.size, old.size + 12, 'size'), more: block[old.more] === 1 };
}

/** From a block behind it; whether one more follows. */
export function continueOldSparse(sparse: OldSparse, block: Buffer): boolean {
  sparse.parts.push(...oldParts(block, 0, old.blockCount));
  return block[old.blockMore] === 1;
}

function oldParts(block: Buffer, start: number, count: number): SparsePart[] {
  const parts: SparsePart[] = [];
  for (let at = start; at < start + count * partBytes && block[at] !== 0; at += partBytes)
    parts.push({ offset: numberField(block, at, at + 12, 'sparse offset'), bytes: numberField(block, at + 12, at + partBytes, 'sparse size') });
  return parts;
}

/** Which of the three formats of extended headers it is: the map is in the records, or before the content. */
export function paxSparse(
  records: PaxRecords,
): { readonly at: 'records'; readonly map: SparseMap } | { readonly at: 'content'; readonly sizeBytes: number } | undefined {
  const field = (name: string) => records.get(`GNU.sparse.${name}`)?.toString('latin1');
  if (field('major') === '1' && field('minor') === '0') return { at: 'content', sizeBytes: whole(field('realsize')) };
  const map = field('map');
  if (map === undefined && field('size') === undefined && field('numblocks') === undefined && field('major') === undefined) return undefined;
  if (map === undefined || (field('major') ?? '0') !== '0') throw damaged('a sparse file has no map');
  return { at: 'records', map: { parts: pairs(map === '' ? [] : map.split(',')), sizeBytes: whole(field('size')) } };
}

/** Reads the map before the content: numbers with a line each, how many pairs first, filled up to a block. */
export class SparseMapReader {
  readonly #sizeBytes: number;
  readonly #maxBytes: number;
  readonly #blocks: Buffer[] = [];
  #lines = 0;
  #wanted: number | undefined;

  constructor(sizeBytes: number, maxBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#blocks.length * blockBytes;
  }

  /** The map, once its last block has come. */
  push(block: Uint8Array): SparseMap | undefined {
    if (this.bytes + blockBytes > this.#maxBytes) throw exhausted(`the map of a sparse file has more than ${this.#maxBytes} bytes`);
    this.#blocks.push(Buffer.from(block));
    for (const byte of block) if (byte === 0x0a) this.#lines++;
    if (this.#lines === 0) return undefined;
    this.#wanted ??= 1 + 2 * whole(this.#text().split('\n', 1)[0]);
    if (this.#lines < this.#wanted) return undefined;
    return { parts: pairs(this.#text().split('\n').slice(1, this.#wanted)), sizeBytes: this.#sizeBytes };
  }

  #text(): string {
    return Buffer.concat(this.#blocks).toString('latin1');
  }
}

/** Throws unless the parts follow each other within the file, and are as long together as what the archive holds. */
export function checkSparse({ parts, sizeBytes }: SparseMap, storedBytes: number): void {
  let end = 0;
  let stored = 0;
  for (const { offset, bytes } of parts) {
    if (offset < end || offset + bytes > sizeBytes) throw damaged('parts of a sparse file are out of order or of range');
    end = offset + bytes;
    stored += bytes;
  }
  if (stored !== storedBytes) throw damaged(`a sparse file has ${storedBytes} bytes of content, its map says ${stored}`);
}

interface ContentHandler {
  data(bytes: Uint8Array): void;
  hole(bytes: number): void;
}

/** Cuts content into the parts of a map, with the holes between them. */
export class SparseContent {
  readonly #map: SparseMap;
  readonly #to: ContentHandler;
  #next = 0;
  /** Bytes of the part at `#next` that came. */
  #filled = 0;
  #position = 0;

  constructor(map: SparseMap, to: ContentHandler) {
    this.#map = map;
    this.#to = to;
  }

  push(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0; ) {
      const part = this.#map.parts[this.#next];
      if (part === undefined) return;
      if (part.offset > this.#position) this.#to.hole(part.offset - this.#position);
      const piece = rest.subarray(0, part.bytes - this.#filled);
      if (piece.length > 0) this.#to.data(piece);
      this.#filled += piece.length;
      this.#position = part.offset + this.#filled;
      rest = rest.subarray(piece.length);
      if (this.#filled < part.bytes) continue;
      this.#next++;
      this.#filled = 0;
    }
  }

  /** The hole at the end. */
  end(): void {
    if (this.#map.sizeBytes > this.#position) this.#to.hole(this.#map.sizeBytes - this.#position);
  }
}

function pairs(numbers: readonly string[]): SparsePart[] {
  if (numbers.length % 2 !== 0) throw damaged('the map of a sparse file is cut short');
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({ offset: whole(numbers[2 * index]), bytes: whole(numbers[2 * index + 1]) }));
}

function whole(digits: string | undefined): number {
  const number = Number(digits);
  if (digits === undefined || !/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(number)) throw damaged('the map of a sparse file is not of numbers');
  return number;
}
