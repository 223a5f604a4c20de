import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { errorMessage, isCode } from '../../base/index.ts';
import { fieldsOf } from './fields.ts';
import { parseFilter, parseFilters } from './parse-filter.ts';

const object = fieldsOf(
  { name: 'docker.io/library/busybox:1', 'target.digest': 'sha256:12', empty: '' },
  { labels: JSON.parse('{"a":"1","a.b":"two words","very complex":"x,y","__proto__":"p","slash":"a/b"}') as Record<string, string>, none: undefined },
);

describe('selects', () => {
  for (const [filter, selected] of [
    ['', true],
    ['name', true],
    ['empty', true],
    ['missing', false],
    ['labels.a', true],
    ['labels.b', false],
    ['labels', false],
    ['none.a', false],
    ['labels.a==1', true],
    ['labels.a==2', false],
    ['labels.a!=2', true],
    ['labels.missing!=2', true],
    ['labels.missing==""', false],
    ['labels.missing!=""', false],
    ['labels.a.b=="two words"', true],
    [`labels."a.b"=='two words'`, true],
    ['labels."very complex"=="x,y"', true],
    ['labels.__proto__==p', true],
    ['labels.constructor', false],
    ['toString', false],
    ['name==docker.io/library/busybox:1', true],
    ['name~=busybox', true],
    ['name~=^busybox', false],
    ['name~="^docker\\\\.io/"', true],
    ['name~=/busybox:\\d$/', true],
    ['name~=|^docker\\.io/.*$|', true],
    ['labels.slash~=/^a\\/b$/', true],
    ['name~=(?i)BUSYBOX', true],
    ['labels.missing~=^$', true],
    ['target.digest==sha256:12', true],
    ['target.digest', true],
    ['target', false],
    ['name,labels.a', true],
    ['name,labels.b', false],
    [' name , labels . a == 1 ', true],
    ['labels.a=="\\x31"', true],
    ['labels.a=="\\u0031"', true],
    ['labels.a=="\\061"', true],
    ['name!=/x', true],
  ] as const)
    test(`${filter}: ${selected}`, () => expect(parseFilter(filter)(object)).toBe(selected));

  test('any of several filters; none selects everything', () => {
    expect([parseFilters([])(object), parseFilters(['missing', 'name'])(object), parseFilters(['missing', 'name==x'])(object)]).toEqual([true, true, false]);
  });
});

describe('refuses', () => {
  for (const [filter, message] of [
    ['=', '[ >|=|< ]: expected field or quoted'],
    ['name=', '[name >|=|< ]: expected an operator ("=="|"!="|"~=")'],
    ['name==', '[name==]: expected value or quoted'],
    ['name==a,', '[name==a,]: expected field or quoted'],
    ['name==a b', '[name==a  >|b|< ]: unexpected input: b'],
    ['a..b', '[a. >|.|< b]: expected field or quoted'],
    ['1a', '[ >|1|< a]: expected field or quoted'],
    ['/a/==b', '[ >|/|< a/==b]: expected field or quoted'],
    ['a=="b', '[a== >|"|< b]: quoted literal not terminated'],
    ['a=="\\q"', '[a== >|"|< \\q"]: unquoting failed: invalid escape "\\\\q"'],
    ['a=="\\ud800"', '[a== >|"|< \\ud800"]: unquoting failed: invalid escape "\\\\u"'],
  ] as const)
    test(filter, () => {
      let problem: unknown;
      try {
        parseFilter(filter);
      } catch (error) {
        problem = error;
      }
      expect([isCode(problem, 'InvalidArgument'), errorMessage(problem)]).toEqual([true, `filters: parse error: ${message}`]);
    });

  test('a bad regular expression, and what is too long', () => {
    expect(() => parseFilter('a~=(')).toThrow(/^filters: parse error: \[a~= >\|\(\|< \]: .*regular expression/);
    expect(() => parseFilter(`a==${'b'.repeat(70_000)}`)).toThrow('filter has 70003 bytes, at most 65536 are possible');
  });
});

const quoted = (text: string) => JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
const text = fc.string({ unit: 'grapheme-ascii' });
const label = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'a.b', ''));
const labels = fc.dictionary(label, text, { noNullPrototype: true });

test('a label is found by its quoted name, with its quoted value', () => {
  fc.assert(
    fc.property(labels, label, text, (map, name, value) => {
      const field = fieldsOf({}, { labels: map });
      const there = Object.hasOwn(map, name);
      expect(parseFilter(`labels.${quoted(name)}`)(field)).toBe(there);
      expect(parseFilter(`labels.${quoted(name)}==${quoted(value)}`)(field)).toBe(there && map[name] === value);
      expect(parseFilter(`labels.${quoted(name)}!=${quoted(value)}`)(field)).toBe((there ? map[name] : '') !== value);
      if (there) expect(parseFilter(`labels.${quoted(name)}==${quoted(map[name] ?? '')}`)(field)).toBe(true);
    }),
  );
});

test('selectors joined are all, filters side by side are any', () => {
  const selector = fc.constantFrom('name', 'missing', 'labels.a==1', 'labels.a!=1', 'name~=busy', 'labels."very complex"=="x,y"');
  fc.assert(
    fc.property(fc.array(selector, { minLength: 1 }), (selectors) => {
      const each = selectors.map((one) => parseFilter(one)(object));
      expect(parseFilter(selectors.join(','))(object)).toBe(each.every(Boolean));
      expect(parseFilters(selectors)(object)).toBe(each.some(Boolean));
    }),
  );
});

test('any text is a filter or InvalidArgument, and is answered either way', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'ab.,"\'\\/|=!~ (') })), (anything) => {
      try {
        expect(typeof parseFilter(anything)(object)).toBe('boolean');
      } catch (error) {
        expect(isCode(error, 'InvalidArgument')).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
