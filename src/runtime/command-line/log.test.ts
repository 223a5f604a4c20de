import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type LogOptions, openLog, textLine } from './log.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'strake-log-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function logged(options: Pick<LogOptions, 'format' | 'level'>): string {
  const file = path.join(dir, 'log');
  const log = openLog({ file, ...options });
  log.debug('one step');
  log.warn('careful');
  log.error('container does not exist');
  return readFileSync(file, 'utf8').replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME');
}

test('text, as logrus writes it', () => {
  expect(logged({ format: 'text', level: 'warning' })).toBe('time="TIME" level=warning msg=careful\ntime="TIME" level=error msg="container does not exist"\n');
});

test('JSON, as containerd and CRI-O read it', () => {
  expect(logged({ format: 'json', level: 'error' })).toBe('{"level":"error","msg":"container does not exist","time":"TIME"}\n');
});

test('steps are written when they are asked for', () => {
  expect(logged({ format: 'text', level: 'debug' })).toStartWith('time="TIME" level=debug msg="one step"\n');
});

test('the file is there before anything is said, for all to read', () => {
  const file = path.join(dir, 'log');
  expect(openLog({ file, format: 'text', level: 'warning' }).toFile).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o644 & ~process.umask());
});

test('a file that cannot be opened is named', () => {
  expect(() => openLog({ file: '/nonexistent/log', format: 'text', level: 'warning' })).toThrow('open /nonexistent/log: no such file or directory');
});

test.each([
  ['plain-text_1./@^+', 'plain-text_1./@^+'],
  ['two words', '"two words"'],
  ['a"quote\nand a line', String.raw`"a\"quote\nand a line"`],
])('%j', (message, value) => expect(textLine('error', message, 'T')).toBe(`time="T" level=error msg=${value}\n`));
