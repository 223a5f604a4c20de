import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resumePoint } from './resume.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'strake-resume-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const [first, second] = ['2026-11-26T16:32:25.1Z', '2026-11-26T16:32:25.2Z'];

test.each([
  ['nothing', '', { time: undefined, written: 0 }, ''],
  ['one line', `${first} stdout F x\n`, { time: first, written: 1 }, `${first} stdout F x\n`],
  [
    'several of the last time, and a line that was cut off',
    `${first} stdout F a\n${second} stdout F b\n${second} stderr F c\n${second} std`,
    { time: second, written: 2 },
    `${first} stdout F a\n${second} stdout F b\n${second} stderr F c\n`,
  ],
  ['only a line that was cut off', `${first} st`, { time: undefined, written: 0 }, ''],
])('a log goes on where it ends: %s', async (_what, content, point, left) => {
  const file = path.join(directory, 'log');
  writeFileSync(file, content);
  expect(await resumePoint(file)).toEqual(point);
  expect(readFileSync(file, 'utf8')).toBe(left);
});

test('the last lines of a long log', async () => {
  const file = path.join(directory, 'long');
  writeFileSync(file, `${first} stdout F ${'x'.repeat(300 << 10)}\n${second} stdout F y\n`);
  expect(await resumePoint(file)).toEqual({ time: second, written: 1 });
});

test('no log', async () => {
  expect(await resumePoint(path.join(directory, 'absent'))).toEqual({ time: undefined, written: 0 });
});
