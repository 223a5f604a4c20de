import { expect, test } from 'bun:test';
import { DetachDetector, defaultDetachKeys, parseDetachKeys } from './detach-keys.ts';

const text = (data: Uint8Array) => Buffer.from(data).toString('latin1');

test('parseDetachKeys', () => {
  expect([...parseDetachKeys(defaultDetachKeys)]).toEqual([16, 17]);
  expect([...parseDetachKeys('a,ctrl-@')]).toEqual([97, 0]);
  expect(() => parseDetachKeys('ctrl-1')).toThrow("invalid detach keys (ctrl-1): unknown character: 'ctrl-1'");
});

test.each([
  [['abc'], 'abc', false],
  [['a\x10\x11b'], 'a', true],
  [['a\x10', '\x11'], 'a', true],
  [['\x10x'], '\x10x', false],
  [['\x10\x10\x11'], '\x10', true],
])('%j', (chunks, passed, detached) => {
  const detector = new DetachDetector(parseDetachKeys(defaultDetachKeys));
  const results = chunks.map((chunk) => detector.feed(Buffer.from(chunk, 'latin1')));
  expect(results.map((result) => text(result.data)).join('')).toBe(passed);
  expect(results.at(-1)?.detached).toBe(detached);
});
