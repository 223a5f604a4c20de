import { protocolError } from '../protocol-error.ts';
import { headerDictionaryId } from './dictionary.ts';
import { HeaderInflater } from './inflate.ts';

/** Of one block, expanded. */
const maxBlockBytes = 64 * 1024;
const maxHeaders = 100;

/** Names in lower case; several values of one name are joined by a NUL. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** Reads the header blocks of one connection, in their order. */
export class HeaderBlockReader {
  readonly #inflater = new HeaderInflater();

  read(compressed: Buffer): SpdyHeaders {
    const block = this.#inflater.push(compressed, maxBlockBytes);
    const count = block.length < 4 ? maxHeaders + 1 : block.readUInt32BE(0);
    if (count > maxHeaders) throw protocolError('a header block without an end, or of too many headers');
    const headers = new Map<string, string>();
    let at = 4;
    const text = (): string => {
      const end = at + 4 + (at + 4 <= block.length ? block.readUInt32BE(at) : maxBlockBytes);
      if (end > block.length) throw protocolError('a header block that ends too early');
      const bytes = block.subarray(at + 4, end);
      at = end;
      return bytes.toString('latin1');
    };
    for (let index = 0; index < count; index++) {
      const name = text().toLowerCase();
      if (name === '' || headers.has(name)) throw protocolError('a header without a name, or twice');
      headers.set(name, text());
    }
    if (at !== block.length) throw protocolError('a header block that goes on behind its end');
    return headers;
  }
}

/** By which zlib flushes: Go's reader gives nothing before it. */
const emptyBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** Writes them: as stored blocks, since headers here are few and short, and their names are not in the dictionary. */
export class HeaderBlockWriter {
  #isFirst = true;

  write(headers: SpdyHeaders): Buffer {
    const texts = [...headers].flat().flatMap((text) => [uint32(Buffer.byteLength(text, 'latin1')), Buffer.from(text, 'latin1')]);
    const block = Buffer.concat([uint32(headers.size), ...texts]);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(block.length, 1);
    stored.writeUInt16LE(block.length ^ 0xffff, 3);
    // zlib's header: deflate with a window of 32 KiB, and a dictionary, whose id follows.
    const start = this.#isFirst ? [Buffer.from([0x78, 0xbb]), uint32(headerDictionaryId)] : [];
    this.#isFirst = false;
    return Buffer.concat([...start, stored, block, emptyBlock]);
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
