import { expect, test } from 'bun:test';
import { choosePlatform, formatPlatform, parsePlatform, runnablePlatforms } from './platform.ts';

test.each([
  ['linux/amd64', 'linux/amd64 linux/386'],
  ['linux/x86_64', 'linux/amd64 linux/386'],
  ['linux/amd64/v3', 'linux/amd64/v3 linux/amd64/v2 linux/amd64 linux/386'],
  ['linux/arm64', 'linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5'],
  ['linux/aarch64/v8', 'linux/arm64 linux/arm/v8 linux/arm/v7 linux/arm/v6 linux/arm/v5'],
  ['linux/arm', 'linux/arm/v7 linux/arm/v6 linux/arm/v5'],
  ['linux/arm/6', 'linux/arm/v6 linux/arm/v5'],
  ['linux/riscv64', 'linux/riscv64'],
])('%s runs %s', (text, expected) => {
  const platform = parsePlatform(text);
  expect(platform && runnablePlatforms(platform).map(formatPlatform).join(' ')).toBe(expected);
});

test('the best candidate is chosen, never one of another or no platform', () => {
  const candidates = ['windows/amd64', 'linux/386', 'linux/amd64', undefined];
  const of = (text: string | undefined) => (text === undefined ? undefined : parsePlatform(text));
  expect(choosePlatform(candidates, of, { os: 'linux', architecture: 'amd64' })).toBe('linux/amd64');
  expect(choosePlatform(candidates.slice(0, 2), of, { os: 'linux', architecture: 'amd64' })).toBe('linux/386');
  expect(choosePlatform(candidates, of, { os: 'linux', architecture: 's390x' })).toBeUndefined();
});

test.each(['', 'linux', 'linux/', '/amd64', 'linux/a/b/c', 'linux/../x'])('%p is no platform', (text) => {
  expect(parsePlatform(text)).toBeUndefined();
});
