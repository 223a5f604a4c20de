import { expect, test } from 'bun:test';
import { parseJson } from './json.ts';
import { invalidJsonPosition } from './json-position.ts';

test.each([
  ['', 1, 1],
  ['{\n  "a": 1,\n}', 3, 1],
  ['{"a" 1}', 1, 6],
  ['{a: 1}', 1, 2],
  ['[1, 2', 1, 6],
  ['[1 2]', 1, 4],
  ['[1,]', 1, 4],
  ['{"a": tru}', 1, 7],
  ['{"a": "x\ny"}', 1, 7],
  ['{"a": 01}', 1, 7],
  ['{} x', 1, 4],
  ['{"a": {"b": [}}', 1, 14],
  ['\n\n  ]', 3, 3],
  ['{"a": "\\x"}', 1, 7],
])('%j is wrong at line %p, column %p', (text, line, column) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(invalidJsonPosition(text)).toEqual({ line, column });
  expect(() => parseJson(text, 'config.json')).toThrow(`config.json is not valid JSON: line ${line}, column ${column}: `);
});

test.each(['{}', '[]', '0', '-1.5e+3', '"\\u00e9\\n"', ' {"a": [1, {"b": null}, []], "c": {}} ', '[true, false]'])('%j is JSON', (text) => {
  JSON.parse(text);
  expect(invalidJsonPosition(text)).toBe(undefined);
});

test('depth is no matter', () => expect(invalidJsonPosition('['.repeat(100_000))).toEqual({ line: 1, column: 100_001 }));
