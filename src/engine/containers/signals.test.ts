import { expect, test } from 'bun:test';
import { parseSignal } from './signals.ts';

test.each([
  ['9', 9],
  ['KILL', 9],
  ['SIGTERM', 15],
  ['sigusr1', 10],
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['RTMAX-1', 63],
])('%s', (text, signal) => {
  expect(parseSignal(text)).toBe(signal);
});

test.each(['', '0', '65', '-9', 'NONSENSE', 'RTMIN-1', 'RTMAX+1', '__proto__'])('%j is refused', (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
