import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { PathTable } from './path-table.ts';

test('it answers as a map does', () => {
  const path = fc.oneof(fc.string({ maxLength: 3, unit: fc.constantFrom('a', 'b', '/') }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.array(fc.tuple(path, fc.integer({ min: 1, max: 255 })), { maxLength: 200 }), fc.array(path), (pairs, asked) => {
      const table = new PathTable();
      for (const [name, value] of pairs) table.set(name, value);
      const map = new Map(pairs);
      expect(table.size).toBe(map.size);
      for (const name of [...asked, ...map.keys()]) expect(table.get(name)).toBe(map.get(name) ?? 0);
    }),
    { numRuns: 300 },
  );
});

test('300,000 paths that hardly differ are all apart', () => {
  const table = new PathTable();
  for (let index = 0; index < 300_000; index++) table.set(`usr/share/doc/file-${index}`, 1 + (index % 255));
  expect(table.size).toBe(300_000);
  for (let index = 0; index < 300_000; index += 997) expect(table.get(`usr/share/doc/file-${index}`)).toBe(1 + (index % 255));
  expect(table.get('usr/share/doc/file-300000')).toBe(0);
});
