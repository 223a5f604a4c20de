import { expect, test } from 'bun:test';
import { constants, createDeflate, inflateSync } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';
import { HeaderBlockReader, HeaderBlockWriter, type SpdyHeaders } from './header-block.ts';
import { HeaderInflater } from './inflate.ts';

/** What zlib makes of each piece, flushed behind it. */
async function deflated(pieces: readonly Buffer[], options: { readonly level: number; readonly strategy: number }): Promise<readonly Buffer[]> {
  const deflate = createDeflate({ ...options, dictionary: headerDictionary });
  const blocks: Buffer[] = [];
  for (const piece of pieces) {
    const parts: Buffer[] = [];
    deflate.on('data', (part: Buffer) => parts.push(part));
    deflate.write(piece);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    deflate.removeAllListeners('data');
    blocks.push(Buffer.concat(parts));
  }
  deflate.destroy();
  return blocks;
}

const pieces = ['content-type: text/html', 'abcabcabcabcabc'.repeat(500), '', 'ÿ'.repeat(300), 'content-type: text/html'].map((text) =>
  Buffer.from(text, 'latin1'),
);

test.each([
  ['stored', 0, constants.Z_DEFAULT_STRATEGY],
  ['fast', 1, constants.Z_DEFAULT_STRATEGY],
  ['best', 9, constants.Z_DEFAULT_STRATEGY],
  ['with the fixed codes', 6, constants.Z_FIXED],
  ['without matches', 6, constants.Z_HUFFMAN_ONLY],
])('what zlib compresses comes back, piece by piece: %s', async (_what, level, strategy) => {
  const blocks = await deflated(pieces, { level, strategy });
  const whole = new HeaderInflater();
  expect(blocks.map((block) => whole.push(block, 10_000).toString('latin1'))).toEqual(pieces.map((piece) => piece.toString('latin1')));
  const bytewise = new HeaderInflater();
  const bytes = [...Buffer.concat(blocks)].map((byte) => bytewise.push(Buffer.from([byte]), 10_000));
  expect(Buffer.concat(bytes)).toEqual(Buffer.concat(pieces));
});

test('headers come back, several values and empty ones too; zlib reads what is written', () => {
  const [reader, writer] = [new HeaderBlockReader(), new HeaderBlockWriter()];
  const lists: readonly SpdyHeaders[] = [new Map(), new Map([['streamtype', 'data']]), new Map([['a', ''], ['b', 'x\0y'], ['__proto__', 'ÿ']])]; // biome-ignore format: one line says it
  const blocks = lists.map((headers) => writer.write(headers));
  expect(blocks.map((block) => reader.read(block))).toEqual([...lists]);
  const expanded = inflateSync(Buffer.concat(blocks), { dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  expect(expanded.length).toBe(4 + (4 + 4 + 10 + 4 + 4) + (4 + 4 + 1 + 4 + 4 + 1 + 4 + 3 + 4 + 9 + 4 + 1));
});

test('a block that expands without end is refused at its limit', async () => {
  const [block = Buffer.alloc(0)] = await deflated([Buffer.alloc(10_000_000)], { level: 9, strategy: constants.Z_DEFAULT_STRATEGY });
  expect(block.length).toBeLessThan(65_536);
  expect(() => new HeaderBlockReader().read(block)).toThrow('headers of more than 65536 bytes');
});

test.each([
  ['no zlib', '00000000', 'a header block that is not compressed by zlib'],
  ['another dictionary', '78bb00000001', 'a header block that is compressed without the dictionary'],
  ['no dictionary', '789c', 'a header block that is compressed without the dictionary'],
  ['an end', '78bbe3c6a7c203', 'compressed headers that end'],
  ['an unknown kind', '78bbe3c6a7c206', 'compressed headers of an unknown kind'],
  ['two lengths', '78bbe3c6a7c20001000000', 'compressed headers of two lengths'],
  ['too few bytes', '78bbe3c6a7c2000300fcff000000', 'a header block without an end, or of too many headers'],
  ['too many headers', '78bbe3c6a7c2000400fbff00000065', 'a header block without an end, or of too many headers'],
  ['a name without end', '78bbe3c6a7c2000800f7ff00000001000000ff', 'a header block that ends too early'],
  ['more behind its end', '78bbe3c6a7c2000500faff0000000000', 'a header block that goes on behind its end'],
])('refused: %s', (_what, hex, message) => {
  expect(() => new HeaderBlockReader().read(Buffer.from(hex, 'hex'))).toThrow(message);
});
