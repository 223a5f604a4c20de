import { expect, test } from 'bun:test';
import { binarySize, humanDuration, humanSize, parseBytes, parseDuration } from './units.ts';

test.each([
  [0, 'Less than a second'],
  [1000, '1 second'],
  [59_000, '59 seconds'],
  [60_000, 'About a minute'],
  [120_000, '2 minutes'],
  [3_600_000, 'About an hour'],
  [47 * 3_600_000, '47 hours'],
  [72 * 3_600_000, '3 days'],
  [30 * 86_400_000, '4 weeks'],
  [100 * 86_400_000, '3 months'],
  [800 * 86_400_000, '2 years'],
])('humanDuration(%d) is %s', (ms, text) => expect(humanDuration(ms)).toBe(text));

test.each([
  [0, '0B'],
  [999, '999B'],
  [4_261_550, '4.262MB'],
  [120_000_000, '120MB'],
])('humanSize(%d) is %s', (bytes, text) => expect(humanSize(bytes)).toBe(text));

test.each([
  [67_108_864, '64MiB'],
  [1_900_000, '1.812MiB'],
])('binarySize(%d) is %s', (bytes, text) => expect(binarySize(bytes)).toBe(text));

test.each([
  ['64m', 67_108_864],
  ['1.5g', 1_610_612_736],
  ['512', 512],
  ['1kb', 1024],
  ['2MiB', 2_097_152],
  ['x', undefined],
  ['-1', undefined],
])('parseBytes(%s)', (text, bytes) => expect(parseBytes(text)).toBe(bytes as number));

test.each([
  ['1m30s', 90_000],
  ['500ms', 500],
  ['0', 0],
  ['5', undefined],
])('parseDuration(%s)', (text, ms) => expect(parseDuration(text)).toBe(ms as number));
