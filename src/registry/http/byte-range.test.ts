import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseChunkRange, parseRange } from './byte-range.ts';

test.each([
  ['bytes=0-9', { start: 0, end: 9 }],
  ['bytes=5-', { start: 5, end: 99 }],
  ['bytes=90-200', { start: 90, end: 99 }],
  ['bytes=-10', { start: 90, end: 99 }],
  ['bytes=-200', { start: 0, end: 99 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=5-4', 'unsatisfiable'],
  ['bytes=0-1,5-6', undefined],
  ['lines=0-1', undefined],
  ['bytes=-', undefined],
  [undefined, undefined],
] as const)('%s of 100 bytes', (header, range) => {
  expect(parseRange(header, 100)).toEqual(range);
});

test('nothing of an empty blob can be asked for', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) expect(parseRange(header, 0)).toBe('unsatisfiable');
});

test('a range that is served lies in the blob', () => {
  fc.assert(
    fc.property(fc.nat(), fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d{0,4}-\d{0,4}$/)), (size, header) => {
      const range = parseRange(header, size);
      if (typeof range !== 'object') return;
      expect(range.start >= 0 && range.start <= range.end && range.end < size).toBe(true);
    }),
  );
});

test.each([
  ['0-99', { start: 0, end: 99 }],
  ['bytes 10-19/100', { start: 10, end: 19 }],
  ['bytes=10-19', { start: 10, end: 19 }],
  ['10-9', 'invalid'],
  ['-9', 'invalid'],
  ['a-b', 'invalid'],
  [undefined, undefined],
] as const)('chunk %s', (header, range) => {
  expect(parseChunkRange(header)).toEqual(range);
});
