import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { writeAtomically } from './atomic-directory.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(os.tmpdir(), 'strake-atomic-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function write(files: Readonly<Record<string, string>>, mode = 0o644): boolean {
  return writeAtomically(directory, new Map(Object.entries(files).map(([name, text]) => [name, { bytes: Buffer.from(text), mode }])), undefined);
}

const shown = () =>
  readdirSync(directory)
    .filter((name) => !name.startsWith('..'))
    .sort();
const text = (name: string) => readFileSync(join(directory, name), 'utf8');

test('files appear, change and go, all of one version at once', () => {
  expect(write({ a: '1', 'sub/b': '2' })).toBe(true);
  expect([shown(), text('a'), text('sub/b')]).toEqual([['a', 'sub'], '1', '2']);
  expect(readlinkSync(join(directory, 'a'))).toBe('..data/a');
  const version = readlinkSync(join(directory, '..data'));
  expect(write({ a: '1', 'sub/b': '2' })).toBe(false);
  expect(readlinkSync(join(directory, '..data'))).toBe(version);
  expect(write({ a: 'new', c: '3' })).toBe(true);
  expect([shown(), text('a'), text('c')]).toEqual([['a', 'c'], 'new', '3']);
  expect(
    readdirSync(directory)
      .filter((name) => name.startsWith('..'))
      .sort(),
  ).toEqual([readlinkSync(join(directory, '..data')), '..data'].sort());
  expect(write({})).toBe(true);
  expect(shown()).toEqual([]);
});

test('a mode is that of the manifest, whatever the umask', () => {
  write({ secret: 'x' }, 0o400);
  expect(statSync(join(directory, 'secret')).mode & 0o777).toBe(0o400);
});
