import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { comparePaths, pathByteLength, pathBytes, pathText } from './path-text.ts';

test.each<[string, number[], string]>([
  ['UTF-8', [...Buffer.from('é/€/😀')], 'é/€/😀'],
  ['Latin-1', [0x66, 0xfc, 0x72], 'f\udcfcr'],
  ['a sequence cut short', [0xe2, 0x82], '\udce2\udc82'],
  ['an encoded surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
  ['too long a form', [0xc0, 0xaf], '\udcc0\udcaf'],
  ['the replacement character itself, beside a wrong byte', [0xef, 0xbf, 0xbd, 0xff], '\ufffd\udcff'],
])('%s as text', (_name, bytes, text) => {
  expect(pathText(Buffer.from(bytes))).toBe(text);
  expect([...pathBytes(text)]).toEqual(bytes);
});

test('any bytes come back, and keep their order', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 6 }).map((text) => new Uint8Array(Buffer.from(text))),
  );
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [textA, textB] = [pathText(Buffer.from(a)), pathText(Buffer.from(b))];
      expect(pathBytes(textA).equals(Buffer.from(a))).toBe(true);
      expect(pathByteLength(textA)).toBe(a.length);
      expect(Math.sign(comparePaths(textA, textB))).toBe(Buffer.compare(a, b));
    }),
    { numRuns: 2000 },
  );
});
