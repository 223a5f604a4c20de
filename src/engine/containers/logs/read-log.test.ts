import { expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fixedNano, parseLogLine, parseTimeNs } from './entries.ts';
import { type ReadLogOptions, readLog } from './read-log.ts';

const line = (text: string, second: number, stream = 'stdout') =>
  `${JSON.stringify({ log: `${text}\n`, stream, time: `2026-01-01T00:00:${String(second).padStart(2, '0')}.5Z` })}\n`;

function directory(): Disposable & { readonly log: string } {
  const dir = mkdtempSync(path.join(tmpdir(), 'strake-log-'));
  return { log: path.join(dir, 'x.log'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

async function read(log: string, options: Partial<ReadLogOptions> = {}): Promise<string> {
  const texts: string[] = [];
  const entries = readLog({ path: log, follow: false, ended: Promise.resolve(), signal: new AbortController().signal, ...options });
  for await (const batch of entries) texts.push(...batch.map(({ text }) => text.trimEnd()));
  return texts.join(' ');
}

test('rotated files oldest first; a torn or foreign line is skipped', async () => {
  using dir = directory();
  expect(await read(dir.log)).toBe('');
  writeFileSync(`${dir.log}.2`, line('a', 1) + line('b', 2));
  writeFileSync(`${dir.log}.1`, `${line('c', 3)}not json\n{"log":1}\n`);
  writeFileSync(dir.log, `${line('d', 4)}${line('e', 5, 'stderr')}{"log":"torn`);
  expect(await read(dir.log)).toBe('a b c d e');
});

test.each([
  [0, ''],
  [1, 'e'],
  [2, 'd e'],
  [3, 'c d e'],
  [5, 'a b c d e'],
  [99, 'a b c d e'],
])('the last %i', async (tail, expected) => {
  using dir = directory();
  writeFileSync(`${dir.log}.1`, line('a', 1) + line('b', 2) + line('c', 3));
  writeFileSync(dir.log, line('d', 4) + line('e', 5));
  expect(await read(dir.log, { tail })).toBe(expected);
});

test('since and until, to the nanosecond', async () => {
  using dir = directory();
  writeFileSync(dir.log, line('a', 1) + line('b', 2) + line('c', 3));
  const at = parseTimeNs('2026-01-01T00:00:02.500000000Z') ?? 0n;
  expect(await read(dir.log, { sinceNs: at })).toBe('b c');
  expect(await read(dir.log, { sinceNs: at + 1n })).toBe('c');
  expect(await read(dir.log, { untilNs: at })).toBe('a b');
});

test('following goes over rotations and ends with everything told', async () => {
  using dir = directory();
  writeFileSync(dir.log, line('a', 1));
  const ended = Promise.withResolvers<void>();
  const texts: string[] = [];
  for await (const batch of readLog({ path: dir.log, follow: true, ended: ended.promise, signal: new AbortController().signal })) {
    texts.push(...batch.map(({ text }) => text.trimEnd()));
    if (texts.length === 1) appendFileSync(dir.log, line('b', 2).slice(0, 10));
    if (texts.length === 1) appendFileSync(dir.log, line('b', 2).slice(10));
    if (texts.length === 2) {
      appendFileSync(dir.log, line('c', 3));
      renameSync(dir.log, `${dir.log}.1`);
      writeFileSync(dir.log, line('d', 4));
    }
    if (texts.length === 4) {
      appendFileSync(dir.log, line('e', 5));
      ended.resolve();
    }
  }
  expect(texts.join(' ')).toBe('a b c d e');
});

test('following ends when the client leaves', async () => {
  using dir = directory();
  const left = new AbortController();
  const reading = read(dir.log, { follow: true, ended: new Promise(() => {}), signal: left.signal });
  left.abort();
  expect(await reading).toBe('');
});

test('an entry’s time in docker’s fixed form', () => {
  const entry = (time: string) => parseLogLine(JSON.stringify({ log: 'x', stream: 'stdout', time }));
  expect(entry('2026-01-01T00:00:01.5Z')).toMatchObject({ timeNs: 1767225601500000000n });
  for (const [time, fixed] of [
    ['2026-01-01T00:00:01.5Z', '2026-01-01T00:00:01.500000000Z'],
    ['2026-01-01T00:00:01Z', '2026-01-01T00:00:01.000000000Z'],
  ] as const) {
    const parsed = entry(time);
    expect(parsed && fixedNano(parsed)).toBe(fixed);
  }
  expect(entry('yesterday')).toBe(undefined);
});
