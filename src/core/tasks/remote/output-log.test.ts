import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogOptions } from '../tasks.ts';
import { OutputLog } from './output-log.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'strake-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function written(name: string, options: Partial<LogOptions>, pieces: readonly (readonly ['stdout' | 'stderr', string])[]): Promise<string> {
  const file = path.join(directory, name);
  const log = await OutputLog.open({ path: file, driver: 'json-file', maxSizeBytes: 0, maxFiles: 1, ...options });
  for (const [stream, text] of pieces) await log.write(stream, Buffer.from(text));
  await log.close();
  return file;
}

const entries = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly log: string; readonly stream: string; readonly time: string });

test('json-file: an entry a line, whatever the pieces; what has no end comes last', async () => {
  const file = await written('lines', {}, [
    ['stdout', 'one\ntw'],
    ['stderr', 'other\n'],
    ['stdout', 'o\n\nthr'],
    ['stdout', 'ee'],
  ]);
  expect(entries(file).map(({ log, stream }) => [log, stream])).toEqual([
    ['one\n', 'stdout'],
    ['other\n', 'stderr'],
    ['two\n', 'stdout'],
    ['\n', 'stdout'],
    ['three', 'stdout'],
  ]);
  expect(entries(file).every(({ time }) => !Number.isNaN(Date.parse(time)))).toBe(true);
});

test('a long line is several entries of 16 KiB', async () => {
  const file = await written('long', {}, [['stdout', `${'x'.repeat(40_000)}\n`]]);
  expect(entries(file).map(({ log }) => log.length)).toEqual([16_384, 16_384, 7_233]);
});

test('cri: whole and partial lines', async () => {
  const file = await written('cri', { driver: 'cri' }, [['stderr', `${'x'.repeat(16_384)}y\n`]]);
  expect(readFileSync(file, 'utf8').replaceAll(/^\S+ /gm, '')).toBe(`stderr P ${'x'.repeat(16_384)}\nstderr F y\n`);
});

test('cri: bytes are what they were', async () => {
  const file = path.join(directory, 'bytes');
  const log = await OutputLog.open({ path: file, driver: 'cri', maxSizeBytes: 0, maxFiles: 1 });
  await log.write('stdout', Buffer.of(0xff, 0xc3, 0x0a));
  await log.close();
  expect([...readFileSync(file).subarray(-3)]).toEqual([0xff, 0xc3, 0x0a]);
});

test('files rotate, and the oldest goes', async () => {
  const pieces = Array.from({ length: 9 }, (_none, index) => ['stdout', `${index}\n`] as const);
  await written('rotating', { maxSizeBytes: 200, maxFiles: 3 }, pieces);
  const files = readdirSync(directory).filter((name) => name.startsWith('rotating'));
  expect(files.sort()).toEqual(['rotating', 'rotating.1', 'rotating.2']);
  const kept = ['rotating.2', 'rotating.1', 'rotating'].flatMap((name) => entries(path.join(directory, name)).map(({ log }) => log.trim()));
  expect(kept.at(-1)).toBe('8');
  expect(kept).toEqual(pieces.map(([, text]) => text.trim()).slice(-kept.length));
  await written('one-file', { maxSizeBytes: 200, maxFiles: 1 }, pieces);
  expect(readdirSync(directory).filter((name) => name.startsWith('one-file'))).toEqual(['one-file']);
  expect(entries(path.join(directory, 'one-file')).at(-1)?.log).toBe('8\n');
});
