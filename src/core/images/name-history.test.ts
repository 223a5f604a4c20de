import { expect, test } from 'bun:test';
import type { ImageRecord } from './images.ts';
import { earlierVersions, movedOn } from './name-history.ts';

const at = (digest: string, labels: Readonly<Record<string, string>> = {}): ImageRecord => ({
  name: 'n',
  target: { mediaType: 'm', digest, size: 1 },
  labels,
  createdAt: new Date(0),
  updatedAt: new Date(0),
});

test('a name remembers what it stood for, newest first and each once; other labels stay', () => {
  let record = at('a', { other: 'kept' });
  const seen: (readonly string[])[] = [earlierVersions(record)];
  for (const next of ['b', 'c', 'a', 'c']) {
    record = at(next, movedOn(record, next));
    seen.push(earlierVersions(record));
  }
  expect(seen).toEqual([[], ['a'], ['b', 'a'], ['c', 'b'], ['a', 'b']]);
  expect(record.labels['other']).toBe('kept');
});

test('it forgets the oldest', () => {
  let record = at('0');
  for (let next = 1; next <= 40; next++) record = at(String(next), movedOn(record, String(next)));
  expect(earlierVersions(record)).toEqual(Array.from({ length: 16 }, (_, index) => String(39 - index)));
});
