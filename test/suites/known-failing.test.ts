import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, parseKnownFailing } from './known-failing.ts';

test('a list gives each test its reason', () => {
  const text = '# runc 1.5.1\n\na.bats: one\n  because of\n  this\nb.bats: two [x]\n  other\n';
  expect([...parseKnownFailing(text)]).toEqual([
    ['a.bats: one', 'because of this'],
    ['b.bats: two [x]', 'other'],
  ]);
});

test.each([
  ['  reason first\n', 'known-failing: a reason before any test: reason first'],
  ['a.bats: one\nb.bats: two\n  why\n', 'known-failing: a.bats: one has no reason'],
  ['a.bats: one\n  why\na.bats: one\n  why\n', 'known-failing: a.bats: one is listed twice'],
])('%j is refused', (text, message) => {
  expect(() => parseKnownFailing(text)).toThrow(message);
});

test('a failure that is not listed is unexpected; a listed one that passes is told', () => {
  const result = (key: string, outcome: 'ok' | 'not ok' | 'skip') => ({ key, name: key, outcome, detail: '' });
  const known = new Map([
    ['a', 'why'],
    ['b', 'why'],
    ['c', 'why'],
  ]);
  const compared = compare([result('a', 'not ok'), result('b', 'ok'), result('c', 'skip'), result('d', 'not ok'), result('e', 'ok')], known);
  expect(compared).toEqual({ unexpected: [result('d', 'not ok')], passing: ['b'], known: 1, passed: 2, skipped: 1 });
});

test('the committed lists can be read', () => {
  const directory = join(import.meta.dirname, 'known-failing');
  for (const name of readdirSync(directory)) parseKnownFailing(readFileSync(join(directory, name), 'utf8'));
});
