import { expect, test } from 'bun:test';
import { Tokens } from './tokens.ts';

test('a token works once, and for a minute', () => {
  let now = 0;
  const tokens = new Tokens<string>(() => now);
  const first = tokens.insert('a');
  now = 30_000;
  const second = tokens.insert('b');
  expect(tokens.take(first)).toBe('a');
  expect(tokens.take(first)).toBe(undefined);
  now = 89_999;
  expect(tokens.take('')).toBe(undefined);
  const late = tokens.insert('c');
  now = 90_000;
  expect(tokens.take(second)).toBe(undefined);
  expect(tokens.take(late)).toBe('c');
});

test('a thousand may wait; the expired make room', () => {
  let now = 0;
  const tokens = new Tokens<number>(() => now);
  const all = new Set(Array.from({ length: 1000 }, (_, index) => tokens.insert(index)));
  expect(all.size).toBe(1000);
  expect(() => tokens.insert(1000)).toThrow('more than 1000 streaming requests wait for their clients');
  now = 60_000;
  expect(tokens.take(tokens.insert(1001))).toBe(1001);
});
