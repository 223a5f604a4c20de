import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { removeLogs, rotateLog } from './rotate.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(os.tmpdir(), 'strake-logs-'));
  file = join(dir, '0.log');
});

afterEach(() => rmSync(dir, { recursive: true }));

const limits = { maxBytes: 4, maxFiles: 3 };

async function write(text: string): Promise<void> {
  writeFileSync(file, text);
  await rotateLog(file, limits, async () => writeFileSync(file, ''));
}

test('a log is put aside at its limit, and the oldest goes', async () => {
  await write('abc');
  expect(readdirSync(dir)).toEqual(['0.log']);
  for (const text of ['first', 'second', 'third']) {
    await write(text);
    // Names are of milliseconds.
    for (const written = Date.now(); Date.now() === written; ) await Bun.sleep(1);
  }
  const [current, ...aside] = readdirSync(dir).sort();
  expect(current).toBe('0.log');
  expect(aside.map((name) => readFileSync(join(dir, name), 'utf8'))).toEqual(['second', 'third']);
  removeLogs(file);
  expect(readdirSync(dir)).toEqual([]);
});

test('a runtime that does not begin a new one goes on writing the same', async () => {
  writeFileSync(file, 'whole');
  const refused = rotateLog(file, limits, async () => {
    throw new Error('no such container');
  });
  await expect(refused).rejects.toThrow('no such container');
  expect(readFileSync(file, 'utf8')).toBe('whole');
});

test('a container without a log has nothing to rotate', async () => {
  await rotateLog(file, limits, async () => {
    throw new Error('must not be called');
  });
  removeLogs('');
  expect(readdirSync(dir)).toEqual([]);
});
