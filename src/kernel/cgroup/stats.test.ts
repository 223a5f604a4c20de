import { expect, test } from 'bun:test';
import { parseBlkio, parseFlatKeyed, parseIoStat, parsePressure } from './stats.ts';

test('flat keyed text keeps strange names apart from the prototype', () => {
  const values = parseFlatKeyed('cache 4096\n__proto__ 1\nbig 18446744073709551615\nbad\n');
  expect(Object.entries(values)).toEqual([
    ['cache', 4096n],
    ['__proto__', 1n],
    ['big', 18446744073709551615n],
  ]);
});

test('blkio joins bytes and operations', () => {
  expect(parseBlkio('8:0 Read 1282048\n8:0 Write 20\nTotal 3477504\n', '8:0 Read 124\nTotal 124\n')).toEqual([
    { major: 8, minor: 0, op: 'Read', bytes: 1282048n, ios: 124n },
    { major: 8, minor: 0, op: 'Write', bytes: 20n, ios: 0n },
  ]);
});

test('io.stat under v1’s names', () => {
  expect(parseIoStat('254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n7:0 \n')).toEqual([
    { major: 254, minor: 0, op: 'Read', bytes: 10n, ios: 1n },
    { major: 254, minor: 0, op: 'Write', bytes: 20n, ios: 2n },
    { major: 7, minor: 0, op: 'Read', bytes: 0n, ios: 0n },
    { major: 7, minor: 0, op: 'Write', bytes: 0n, ios: 0n },
  ]);
});

test('pressure, in ns; a kernel without it has none', () => {
  const text = 'some avg10=1.50 avg60=0.20 avg300=0.03 total=1234567\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n';
  expect(parsePressure(text)).toEqual({
    some: { averages: [1.5, 0.2, 0.03], totalNs: 1_234_567_000n },
    full: { averages: [0, 0, 0], totalNs: 7000n },
  });
  expect(parsePressure('')).toBeUndefined();
  expect(parsePressure(text.replace('full', 'all'))).toBeUndefined();
});
