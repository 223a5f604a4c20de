import { describe, expect, test } from 'bun:test';
import { isQuantity, quantityMilli, quantityUnits } from './quantity.ts';

describe('quantities', () => {
  test.each([
    ['0', 0n, 0n],
    ['1', 1n, 1000n],
    ['+1', 1n, 1000n],
    ['500m', 1n, 500n],
    ['0.1', 1n, 100n],
    ['.5', 1n, 500n],
    ['1.', 1n, 1000n],
    ['100n', 1n, 1n],
    ['64Mi', 67108864n, 67108864000n],
    ['1.5Gi', 1610612736n, 1610612736000n],
    ['128M', 128000000n, 128000000000n],
    ['1e3', 1000n, 1000000n],
    ['12E', 12000000000000000000n, 12000000000000000000000n],
    ['9007199254740993', 9007199254740993n, 9007199254740993000n],
  ])('%s', (text, units, milli) => {
    expect(quantityUnits(text)).toBe(units);
    expect(quantityMilli(text)).toBe(milli);
  });

  test.each(['', 'm', '1 ', '1MB', 'Mi', '1e', '1e999', '0x10', '--1', '1KI', '-1'])('%j is none that a container can have', (text) => {
    expect(isQuantity(text)).toBe(false);
  });
});
