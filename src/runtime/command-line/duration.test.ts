import { expect, test } from 'bun:test';
import { parseDuration } from './duration.ts';

test.each([
  ['5s', 5000],
  ['100ms', 100],
  ['1m30s', 90_000],
  ['1.5h', 5_400_000],
  ['250us', 0.25],
])('%s is %p ms', (text, ms) => expect(parseDuration('interval', text)).toBe(ms));

test.each(['', '5', 's', '5 s', '1d', '5s!'])('%p is no duration', (text) =>
  expect(() => parseDuration('interval', text)).toThrow(`invalid value ${JSON.stringify(text)} for flag -interval: parse error`),
);

test.each(['0', '0s', '-1s'])('%p is not above 0', (text) => expect(() => parseDuration('interval', text)).toThrow('duration interval must be greater than 0'));
