import { ConnectionError, Http2Code } from '../errors.ts';
import type { Header } from '../headers.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './static-table.ts';

/** What we let the peer's encoder remember, in the RFC's measure: SETTINGS_HEADER_TABLE_SIZE's default. */
const maxTableBytes = 4096;
/** RFC 7541, section 4.1. */
const entryOverhead = 32;

/** The decoder of one connection: blocks refer to headers of earlier ones (RFC 7541). */
export class HpackDecoder {
  /** The newest first. */
  readonly #table: Header[] = [];
  #tableBytes = 0;
  #capacity = maxTableBytes;
  readonly #maxListBytes: number;

  /** `maxListBytes` of a whole list, in the RFC's measure. */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /**
   * The headers of a whole block; undefined for a list that is too long, which is read to its end all the same: what comes after needs the table.
   * Throws a ConnectionError for what is no encoding.
   */
  decode(block: Buffer): readonly Header[] | undefined {
    const reader = new BlockReader(block);
    const headers: Header[] = [];
    let listBytes = 0;
    while (!reader.done) {
      const first = reader.peek();
      if ((first & 0xe0) === 0x20) {
        if (headers.length > 0) throw new ConnectionError(Http2Code.compressionError, 'a change of the table inside a block');
        this.#resize(reader.integer(5));
        continue;
      }
      const header = this.#field(reader, first);
      listBytes += sizeOf(header);
      if (listBytes <= this.#maxListBytes) headers.push(header);
    }
    return listBytes <= this.#maxListBytes ? headers : undefined;
  }

  #field(reader: BlockReader, first: number): Header {
    if ((first & 0x80) !== 0) return this.#at(reader.integer(7));
    const indexed = (first & 0xc0) === 0x40;
    const index = reader.integer(indexed ? 6 : 4);
    const name = index === 0 ? reader.string() : this.#at(index)[0];
    const header: Header = [name, reader.string()];
    if (indexed) this.#remember(header);
    return header;
  }

  #at(index: number): Header {
    const header = index <= staticTable.length ? staticTable[index - 1] : this.#table[index - staticTable.length - 1];
    if (header === undefined) throw new ConnectionError(Http2Code.compressionError, `a header with the index ${index}`);
    return header;
  }

  #remember(header: Header): void {
    this.#table.unshift(header);
    this.#tableBytes += sizeOf(header);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > maxTableBytes) throw new ConnectionError(Http2Code.compressionError, `a table of ${bytes} bytes`);
    this.#capacity = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#capacity) {
      const oldest = this.#table.pop();
      if (oldest === undefined) break;
      this.#tableBytes -= sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryOverhead;
}

class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get done(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new ConnectionError(Http2Code.compressionError, 'a block that ends too early');
    return byte;
  }

  /** RFC 7541, section 5.1, up to 2^28: nothing that we take is larger. */
  integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#take() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#take();
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw new ConnectionError(Http2Code.compressionError, 'a number that is too large');
  }

  string(): string {
    const huffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    if (this.#at + length > this.#block.length) throw new ConnectionError(Http2Code.compressionError, 'a string that ends too early');
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    this.#at += length;
    return huffman ? decodeHuffman(bytes) : bytes.toString('latin1');
  }

  #take(): number {
    const byte = this.peek();
    this.#at += 1;
    return byte;
  }
}
