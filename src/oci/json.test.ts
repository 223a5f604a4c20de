import { describe, expect, test } from 'bun:test';
import { formatJson, parseJson } from './json.ts';
import { isDoubtful } from './loose-json.ts';

describe('long integers', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['{"limit":9223372036854775807}', { limit: 9223372036854775807n }],
    ['[-9223372036854775808,0]', [-9223372036854775808n, 0]],
    ['[9007199254740991,9007199254740992]', [9007199254740991, 9007199254740992n]],
    ['[1.00000000000000000001,1e+0000000000000000001,1E-1000000000000000000,-0.1234567890123456]', [1, 10, 0, -0.1234567890123456]],
    ['["9223372036854775807","\\"9223372036854775807,",9223372036854775807]', ['9223372036854775807', '"9223372036854775807,', 9223372036854775807n]],
    [
      '["integer ","integer 9223372036854775807","\\u0069nteger 1",9223372036854775807]',
      ['integer ', 'integer 9223372036854775807', 'integer 1', 9223372036854775807n],
    ],
    ['{"9223372036854775807":"\\\\"}', { '9223372036854775807': '\\' }],
  ];
  for (const [text, value] of cases)
    test(text, () => {
      expect(parseJson(text, 'it')).toEqual(value);
    });

  test('come out as they went in', () => {
    const text = '{"a":[9223372036854775807,"\\u0001",-9223372036854775808],"b":1.5}';
    expect(formatJson(parseJson(text, 'it'))).toBe(text);
  });

  test('in a text with a mistake leave its place alone', () => {
    expect(() => parseJson('{"a":9223372036854775807,\n  "b":}', 'it')).toThrow('it is not valid JSON: line 2, column 7');
  });
});

describe('what engines let through is no JSON', () => {
  const cases = ['["\\x41"]', '["\\v"]', `["\\'"]`, '["a\\\nb"]', '["\\u{41}"]', '["\\u12"]', '["\\\\\\q"]', '[-01]', '[-00.5]', '[1.]', '[1.e5]'];
  for (const text of cases)
    test(text, () => {
      expect(isDoubtful(text)).toBe(true);
      expect(() => parseJson(text, 'it')).toThrow('it is not valid JSON: line 1, column 2: ');
    });
  for (const text of ['["\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9x","\\\\x"]', '[-0.5,-0,1.5,"a.b","1.2"]'])
    test(text, () => {
      expect(isDoubtful(text)).toBe(false);
      expect(parseJson(text, 'it')).toEqual(JSON.parse(text));
    });
  test('a date is doubted, and read', () => {
    expect(isDoubtful('["2026-01-02","1."]')).toBe(true);
    expect(parseJson('["2026-01-02","1."]', 'it')).toEqual(['2026-01-02', '1.']);
  });
});
