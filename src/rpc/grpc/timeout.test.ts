import { expect, test } from 'bun:test';
import { formatTimeout, parseTimeout } from './timeout.ts';

test.each([
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['3S', 3000],
  ['99999999m', 99_999_999],
  ['500u', 0.5],
  ['1000n', 0.001],
  ['123456789m', undefined],
  ['-1m', undefined],
  ['1', undefined],
  ['1x', undefined],
  ['', undefined],
])('%j is %p ms', (text, ms) => {
  expect(parseTimeout(text)).toBe(ms as number);
});

test.each([
  [0.2, '1m'],
  [1500, '1500m'],
  [100_000_000, '100000S'],
  [1e15, '99999999S'],
])('%p ms is %j', (ms, text) => {
  expect(formatTimeout(ms)).toBe(text);
});
