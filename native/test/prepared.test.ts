import { afterAll, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeProgram, type Op, opsHash } from '../../src/kernel/index.ts';

const runtime = path.join(import.meta.dirname, '../../dist/strake-runc');
let root = '';
const marker = () => path.join(root, 'ran');

/** Leaves a program for `start`, which shows that it ran. */
function prepare(id: string, { hash = opsHash, operations = [] as readonly Op[] } = {}): string {
  const file = path.join(root, id, 'start.program');
  mkdirSync(path.dirname(file), { recursive: true });
  const ran: Op = { op: 'write_file', side: 'host', path: marker(), data: Buffer.from(id), flags: 4 };
  writeFileSync(file, Buffer.concat([Buffer.from(hash), encodeProgram([ran, ...operations])]), { mode: 0o600 });
  return file;
}

function start(...args: readonly string[]) {
  rmSync(marker(), { force: true });
  const { status, stderr } = spawnSync(runtime, args, { encoding: 'utf8' });
  return { status, stderr, ran: existsSync(marker()) };
}

/** The decider knows no such container. */
const decided = { status: 1, stderr: expect.stringContaining('container does not exist') };

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'strake-prepared-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a prepared program is the whole of the verb', () => {
  prepare('a');
  expect(start('--root', root, 'start', 'a')).toEqual({ status: 0, stderr: '', ran: true });
  expect(start(`--root=${root}`, '--log', '/dev/null', '--log-format=json', 'start', 'a')).toEqual({ status: 0, stderr: '', ran: true });
});

test('any other command line, and a program that fails, is for the decider', () => {
  prepare('b');
  expect(start('--root', root, '--debug', 'start', 'b').ran).toBe(false);
  expect(start('--root', root, 'start', '--help', 'b')).toMatchObject({ status: 0, ran: false });
  expect(start('--root', root, 'start', '../b')).toMatchObject({ status: 1, stderr: expect.stringContaining('invalid container ID format'), ran: false });
  prepare('c', {
    operations: [
      { op: 'unlink', side: 'host', path: '/proc/no/such' },
      { op: 'write_file', side: 'host', path: '/no/such', data: Buffer.of() },
    ],
  });
  expect(start('--root', root, 'start', 'c')).toEqual({ ...decided, ran: true });
});

test('no program is run that another user, another table or a link could have put there', () => {
  prepare('d', { hash: '0'.repeat(opsHash.length) });
  expect(start('--root', root, 'start', 'd')).toEqual({ ...decided, ran: false });
  chmodSync(prepare('e'), 0o620);
  expect(start('--root', root, 'start', 'e')).toEqual({ ...decided, ran: false });
  chownSync(prepare('f'), 1, 1);
  expect(start('--root', root, 'start', 'f')).toEqual({ ...decided, ran: false });
  const file = prepare('g');
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
  expect(start('--root', root, 'start', 'g')).toEqual({ ...decided, ran: false });
});
