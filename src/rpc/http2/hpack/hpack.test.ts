import { expect, test } from 'bun:test';
import { ConnectionError } from '../errors.ts';
import type { Header } from '../headers.ts';
import { HpackDecoder } from './decoder.ts';
import { encodeHeaders } from './encoder.ts';
import { decodeHuffman } from './huffman.ts';
import { staticTable } from './static-table.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const request = (path: string, authority: string, scheme: string, more: readonly Header[] = []): readonly Header[] => [
  [':method', 'GET'],
  [':scheme', scheme],
  [':path', path],
  [':authority', authority],
  ...more,
];
const requests = [
  request('/', 'www.example.com', 'http'),
  request('/', 'www.example.com', 'http', [['cache-control', 'no-cache']]),
  request('/index.html', 'www.example.com', 'https', [['custom-key', 'custom-value']]),
];

// RFC 7541, appendix C.3 and C.4: three requests on one connection.
test.each([
  ['plain', ['828684410f7777772e6578616d706c652e636f6d', '828684be58086e6f2d6361636865', '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565']],
  ['Huffman', ['828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf', '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf']],
])("the RFC's requests in %s", (_, blocks) => {
  const decoder = new HpackDecoder(4096);
  expect(blocks.map((block) => decoder.decode(hex(block)))).toEqual(requests);
});

test('the static table is the whole of it', () => {
  expect(staticTable).toHaveLength(61);
  expect([staticTable[15], staticTable[60]]).toEqual([
    ['accept-encoding', 'gzip, deflate'],
    ['www-authenticate', ''],
  ]);
});

test('what is encoded is decoded, and leaves no trace for later blocks', () => {
  const headers: readonly Header[] = [
    [':status', '200'],
    [':path', '/x'],
    ['content-type', 'application/grpc'],
    ['grpc-message', ''],
    ['x'.repeat(200), '\xe4'.repeat(20_000)],
  ];
  const decoder = new HpackDecoder(64 * 1024);
  for (let round = 0; round < 2; round++) expect(decoder.decode(encodeHeaders(headers))).toEqual(headers);
});

test('a list beyond the limit is read for the sake of later ones', () => {
  const decoder = new HpackDecoder(100);
  expect(decoder.decode(Buffer.concat([hex('40 01 61 01 62'), encodeHeaders([['x', 'y'.repeat(100)]])]))).toBeUndefined();
  expect(decoder.decode(hex('be'))).toEqual([['a', 'b']]);
});

test('the table forgets the oldest, and all that a smaller one has no room for', () => {
  const decoder = new HpackDecoder(4096);
  decoder.decode(hex('40 01 61 01 62 40 01 63 01 64'));
  expect(decoder.decode(hex('be bf'))).toEqual([
    ['c', 'd'],
    ['a', 'b'],
  ]);
  // Room for one entry of 34 bytes.
  expect(decoder.decode(hex('3f 03 be'))).toEqual([['c', 'd']]);
  expect(() => decoder.decode(hex('bf'))).toThrow(ConnectionError);
});

test.each([
  ['the index 0', '80'],
  ['an index beyond the tables', 'be'],
  ['a name that ends too early', '40 05 61'],
  ['a number without end', 'ff 80 80 80 80 80'],
  ['a number that is cut off', 'ff'],
  ['a table that is too large', '3f e2 1f'],
  ['a change of the table behind a header', '82 20'],
  ['padding with a zero', '00 81 18 00'],
  ['padding of an octet', '00 82 1f ff 00'],
  ['an end inside a string', '00 84 ff ff ff ff 00'],
])('%s is refused', (_, block) => {
  expect(() => new HpackDecoder(4096).decode(hex(block))).toThrow(ConnectionError);
});

test('every octet has a code', () => {
  // RFC 7541, appendix B: some of the shortest and the longest.
  expect(decodeHuffman(hex('07'))).toBe('0');
  expect(decodeHuffman(hex('ff c7'))).toBe('\0');
  expect(decodeHuffman(hex('ff ff ff f3'))).toBe('\n');
});
