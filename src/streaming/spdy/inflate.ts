import { protocolError } from '../protocol-error.ts';
import { headerDictionary, headerDictionaryId } from './dictionary.ts';

/** How far back a match may reach (RFC 1951). */
const windowBytes = 32 * 1024;
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
];
const distanceExtra = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const endOfBlock = 256;

/** A Huffman code: how many symbols each length of code has, and the symbols in the order of their codes. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

type Block =
  | { readonly kind: 'none' }
  | { readonly kind: 'stored'; left: number }
  | { readonly kind: 'coded'; readonly literals: Code; readonly distances: Code };

/** Thrown where the input ends inside of something: it is read again once more has come. */
const short = Symbol('the input ends');

/**
 * zlib's format (RFC 1950, 1951) with the dictionary of SPDY, as one endless stream that is given in pieces: what a piece ends with is given at once, wherever the
 * sender has flushed. node:zlib has that only asynchronously, and without a bound on what comes out.
 */
export class HeaderInflater {
  #history: Buffer = headerDictionary;
  #input: Buffer = Buffer.alloc(0);
  /** In bits. */
  #at = 0;
  #hasHeader = false;
  #block: Block = { kind: 'none' };
  #out: number[] = [];

  /** Throws for more than `limitBytes`, and for what is not such a stream; it is of no use then. */
  push(piece: Buffer, limitBytes: number): Buffer {
    this.#input = Buffer.concat([this.#input.subarray(this.#at >> 3), piece]);
    this.#at &= 7;
    this.#out = [];
    for (let isShort = false; !isShort; ) {
      const before = this.#at;
      try {
        this.#step(limitBytes);
      } catch (error) {
        if (error !== short) throw error;
        this.#at = before;
        isShort = true;
      }
    }
    const out = Buffer.from(this.#out);
    this.#history = Buffer.concat([this.#history, out]).subarray(-windowBytes);
    return out;
  }

  #step(limitBytes: number): void {
    if (!this.#hasHeader) this.#readHeader();
    else if (this.#block.kind === 'none') this.#block = this.#readBlock();
    else if (this.#block.kind === 'stored') this.#copyStored(this.#block, limitBytes);
    else this.#readSymbol(this.#block, limitBytes);
  }

  #readHeader(): void {
    const [method, flags] = [this.#bits(8), this.#bits(8)];
    if ((method & 15) !== 8 || method >> 4 > 7 || ((method << 8) | flags) % 31 !== 0) throw protocolError('a header block that is not compressed by zlib');
    const id = (flags & 0x20) === 0 ? 0 : ((this.#bits(8) << 24) | (this.#bits(8) << 16) | (this.#bits(8) << 8) | this.#bits(8)) >>> 0;
    if (id !== headerDictionaryId) throw protocolError('a header block that is compressed without the dictionary');
    this.#hasHeader = true;
  }

  #readBlock(): Block {
    const isLast = this.#bits(1) === 1;
    if (isLast) throw protocolError('compressed headers that end');
    const type = this.#bits(2);
    if (type === 1) return fixedBlock;
    if (type === 2) return this.#readCodes();
    if (type === 3) throw protocolError('compressed headers of an unknown kind');
    this.#at = (this.#at + 7) & ~7;
    const length = this.#bits(16);
    if (this.#bits(16) !== (length ^ 0xffff)) throw protocolError('compressed headers of two lengths');
    return length === 0 ? { kind: 'none' } : { kind: 'stored', left: length };
  }

  #copyStored(block: { left: number }, limitBytes: number): void {
    const start = this.#at >> 3;
    const bytes = this.#input.subarray(start, start + block.left);
    if (bytes.length === 0) throw short;
    for (const byte of bytes) this.#give(byte, limitBytes);
    this.#at += bytes.length * 8;
    block.left -= bytes.length;
    if (block.left === 0) this.#block = { kind: 'none' };
  }

  #readCodes(): Block {
    const [literals, distances, lengths] = [this.#bits(5) + 257, this.#bits(5) + 1, this.#bits(4) + 4];
    if (literals > 286 || distances > 30) throw protocolError('compressed headers of too many symbols');
    const ofLengths = new Uint8Array(19);
    for (const symbol of codeLengthOrder.slice(0, lengths)) ofLengths[symbol] = this.#bits(3);
    const code = codeOf(ofLengths);
    const all = new Uint8Array(literals + distances);
    for (let at = 0; at < all.length; ) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        all[at++] = symbol;
        continue;
      }
      const times = symbol === 16 ? 3 + this.#bits(2) : symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7);
      if (at + times > all.length || (symbol === 16 && at === 0)) throw protocolError('compressed headers of lengths without place');
      all.fill(symbol === 16 ? (all[at - 1] ?? 0) : 0, at, at + times);
      at += times;
    }
    return { kind: 'coded', literals: codeOf(all.subarray(0, literals)), distances: codeOf(all.subarray(literals)) };
  }

  #readSymbol({ literals, distances }: { readonly literals: Code; readonly distances: Code }, limitBytes: number): void {
    const symbol = this.#symbol(literals);
    if (symbol < endOfBlock) this.#give(symbol, limitBytes);
    else if (symbol === endOfBlock) this.#block = { kind: 'none' };
    else this.#repeat(symbol, distances, limitBytes);
  }

  #repeat(symbol: number, distances: Code, limitBytes: number): void {
    const [base, extra] = [lengthBase[symbol - 257], lengthExtra[symbol - 257]];
    if (base === undefined || extra === undefined) throw protocolError('compressed headers with an unknown length');
    const length = base + this.#bits(extra);
    const distanceSymbol = this.#symbol(distances);
    const distance = (distanceBase[distanceSymbol] ?? Number.POSITIVE_INFINITY) + this.#bits(distanceExtra[distanceSymbol] ?? 0);
    if (distance > this.#history.length + this.#out.length) throw protocolError('compressed headers that repeat what was not there');
    for (let left = length; left > 0; left--) this.#give(this.#back(distance), limitBytes);
  }

  #back(distance: number): number {
    const at = this.#out.length - distance;
    return (at >= 0 ? this.#out[at] : this.#history[this.#history.length + at]) ?? 0;
  }

  #give(byte: number, limitBytes: number): void {
    if (this.#out.length >= limitBytes) throw protocolError(`headers of more than ${limitBytes} bytes`);
    this.#out.push(byte);
  }

  #bits(count: number): number {
    if (this.#at + count > this.#input.length * 8) throw short;
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++) value |= (((this.#input[this.#at >> 3] ?? 0) >> (this.#at & 7)) & 1) << bit;
    return value;
  }

  /** Codes of one length follow each other, so a code is found by counting. */
  #symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= 15; length++) {
      code |= this.#bits(1);
      const count = counts[length] ?? 0;
      if (code - first < count) return symbols[index + code - first] ?? 0;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw protocolError('compressed headers with an unknown code');
  }
}

function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  const next = new Uint16Array(16);
  let room = 1;
  for (let length = 1; length <= 15; length++) {
    room = room * 2 - (counts[length] ?? 0);
    if (room < 0) throw protocolError('compressed headers of more codes than there are');
    next[length] = (next[length - 1] ?? 0) + (counts[length - 1] ?? 0);
  }
  const symbols = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    symbols[next[length] ?? 0] = symbol;
    next[length] = (next[length] ?? 0) + 1;
  }
  return { counts, symbols };
}

const fixedBlock: Block = {
  kind: 'coded',
  literals: codeOf(Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8))),
  distances: codeOf(new Uint8Array(30).fill(5)),
};
