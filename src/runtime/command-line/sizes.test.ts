import { expect, test } from 'bun:test';
import { parseInteger, parseSize } from './sizes.ts';

test.each([
  ['-1', -1n],
  ['0', 0n],
  ['33554432', 33554432n],
  ['50M', 52428800n],
  ['1.5gb', 1610612736n],
  ['1KiB', 1024n],
  ['9223372036854771712', 9223372036854771712n],
])('the size %p is %p bytes', (text, bytes) => expect(parseSize('memory', text)).toBe(bytes));

test.each(['', '-2', 'M', '1x', '0x10', '1e3'])('the size %p is refused', (text) =>
  expect(() => parseSize('memory', text)).toThrow(`invalid value for memory: invalid size: '${text}'`),
);

test.each([
  ['cpu-idle', '-1', true, -1n],
  ['cpu-quota', '+5', true, 5n],
  ['cpu-share', '18446744073709551615', false, 18446744073709551615n],
])('%s %p', (flag, text, signed, value) => expect(parseInteger(flag, text, signed)).toBe(value));

test.each([
  ['cpu-share', '-1', false, 'invalid value for cpu-share: strconv.ParseUint: parsing "-1": invalid syntax'],
  ['cpu-idle', 'x', true, 'invalid value for cpu-idle: strconv.ParseInt: parsing "x": invalid syntax'],
  ['cpu-quota', '9223372036854775808', true, 'invalid value for cpu-quota: strconv.ParseInt: parsing "9223372036854775808": value out of range'],
])('%s %p is refused', (flag, text, signed, message) => expect(() => parseInteger(flag, text, signed)).toThrow(message));
