import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { lockDataRoot } from './data-root-lock.ts';

const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-lock-'));
const dataRoot = path.join(directory, 'root');
afterAll(() => rmSync(directory, { recursive: true }));

test('one daemon per data root, and the next one when it has gone', () => {
  {
    using _lock = lockDataRoot(dataRoot);
    expect(statSync(dataRoot).mode & 0o777).toBe(0o700);
    expect(() => lockDataRoot(dataRoot)).toThrow(`data root ${dataRoot} is in use by another daemon`);
  }
  lockDataRoot(dataRoot)[Symbol.dispose]();
});

test('a killed daemon leaves no lock', async () => {
  const holder = Bun.spawn(
    [
      process.execPath,
      '-e',
      `const lock = require(${JSON.stringify(path.join(import.meta.dirname, 'data-root-lock.ts'))}).lockDataRoot(${JSON.stringify(dataRoot)}); console.log('locked'); setInterval(() => lock, 1000)`,
    ],
    { stdout: 'pipe' },
  );
  await holder.stdout.getReader().read();
  expect(() => lockDataRoot(dataRoot)).toThrow('in use');
  holder.kill('SIGKILL');
  await holder.exited;
  lockDataRoot(dataRoot)[Symbol.dispose]();
});
