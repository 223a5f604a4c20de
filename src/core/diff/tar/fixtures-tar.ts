// Archives for tests, byte by byte, so that they may be wrong.

export interface RawEntry {
  readonly name: string;
  readonly type?: string;
  readonly size?: number;
  readonly mode?: number;
  readonly link?: string;
  /** bytes at offsets of the header */
  readonly raw?: readonly (readonly [offset: number, bytes: Buffer])[];
  /** added to the right sum */
  readonly checksum?: number;
}

/** A ustar header. */
export function rawEntry({ name, type = '0', size = 0, mode = 0o644, link = '', raw = [], checksum = 0 }: RawEntry): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(name.slice(0, 100), 0, 'utf8');
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257);
  for (const [offset, bytes] of raw) bytes.copy(block, offset);
  const sum = block.reduce((total, byte) => total + byte, checksum);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A header and content, padded. */
export function rawFile(name: string, content: string | Buffer, entry: Partial<RawEntry> = {}): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([rawEntry({ ...entry, name, size: bytes.length }), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** An extended header of `key=value` records. */
export function rawPax(type: 'x' | 'g', records: readonly (string | Buffer)[]): Buffer {
  const encoded = records.map((record) => {
    const body = Buffer.concat([Buffer.from(' '), Buffer.from(record), Buffer.from('\n')]);
    let length = body.length + 1;
    while (String(length).length + body.length !== length) length++;
    return Buffer.concat([Buffer.from(String(length)), body]);
  });
  return rawFile('pax', Buffer.concat(encoded), { type });
}
