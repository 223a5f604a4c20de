import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Op } from '../../src/kernel/index.ts';
import { jsonWithPid, pidOffsetBytes } from '../../src/kernel/program/pid-field.ts';
import { container, leftovers, makeRoot, runProgram } from './harness.ts';

let root: ReturnType<typeof makeRoot>;
beforeAll(() => (root = makeRoot()));
afterAll(() => {
  expect(leftovers(root.dir)).toEqual([]);
  root.remove();
});

const state = jsonWithPid({ id: 'c' });
const hook = (side: 'host' | 'init', script: string, more: Partial<Op & { op: 'hook' }> = {}): Op => ({
  op: 'hook',
  side,
  name: 'test hook #0',
  path: '/bin/sh',
  args: ['sh', '-c', script],
  env: ['PATH=/usr/bin:/bin', `OUT=${root.dir}`],
  state: Buffer.from(state.text),
  pidOffsets: pidOffsetBytes(state),
  ...more,
});
const read = (name: string) => readFileSync(path.join(root.dir, name), 'utf8');

test('a hook reads the state with the pid as its side sees it, on either side', async () => {
  const ops = container(root.dir, { hostBeforeInit: [hook('host', 'cat > $OUT/host')], mounts: [hook('init', 'cat > $OUT/init')] });
  const { reports } = await runProgram(ops);
  expect(reports[0]?.detail).toBe('');
  expect(JSON.parse(read('host'))).toEqual({ pid: reports[0]?.initPid ?? 0, id: 'c' });
  expect(JSON.parse(read('init'))).toEqual({ pid: 1, id: 'c' });
});

test('between exec and reap it runs when the process does; a failure ends that', async () => {
  const withLast = (last: Op, argv: readonly string[]) => container(root.dir, { argv }).flatMap((op) => (op.op === 'reap' ? [last, op] : [op]));
  const fine = await runProgram(withLast(hook('host', 'readlink /proc/$(tr -dc 0-9)/exe > $OUT/exe'), ['sleep', '1']));
  expect(fine.reports[0]).toMatchObject({ detail: '', phase: 'started' });
  expect(read('exe')).toBe('/bin/busybox\n');
  const failed = await runProgram(withLast(hook('host', 'exit 3'), ['sleep', '1000']));
  expect(failed.reports[0]).toMatchObject({ detail: 'error running test hook #0: exit status 3, stdout: , stderr: ', phase: 'started' });
  expect(failed.status).toBe(1);
});

test.each<[string, Partial<Op & { op: 'hook' }>, string]>([
  ['what it said, cut', { args: ['sh', '-c', 'echo out; yes | head -c 9000 >&2; exit 7'] }, `exit status 7, stdout: out\n, stderr: ${'y\n'.repeat(750)}`],
  ['a signal', { args: ['sh', '-c', 'kill -KILL $$'] }, 'signal: killed, stdout: , stderr: '],
  ['a missing program', { path: '/no/such' }, 'fork/exec /no/such: no such file or directory'],
  [
    'too long, with what it started',
    { args: ['sh', '-c', 'sleep 1000 & echo $! > $OUT/late; wait'], timeoutMs: 200 },
    'hook ran past specified timeout of 0.2s',
  ],
])('a failure: %s', async (_, more, words) => {
  const { reports } = await runProgram([hook('host', '', { pidOffsets: new Uint8Array(), ...more })]);
  expect(reports[0]?.detail).toBe(`error running test hook #0: ${words}`);
  if (more.timeoutMs !== undefined) expect(existsSync(`/proc/${read('late').trim()}/exe`)).toBe(false);
});

test('a failure may be a warning, and places of a pid that are none are refused', async () => {
  const warned = await runProgram([hook('host', 'exit 3', { flags: 1 }), hook('host', 'echo next > $OUT/next')]);
  expect(warned.reports[0]?.detail).toBe('');
  expect(warned.stderr).toBe('strake-runc: warning: error running test hook #0: exit status 3, stdout: , stderr: \n');
  expect(read('next')).toBe('next\n');
  for (const offset of [0, 1, 12, 1000]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(offset);
    const { reports } = await runProgram([hook('host', 'true', { pidOffsets: bytes })]);
    expect(reports[0]?.detail).toContain('error running test hook #0: stdio');
  }
});

test('the runner stays in the namespaces of its birth', async () => {
  const ops: Op[] = [
    { op: 'open', side: 'host', out: 1, path: root.dir, flags: 0o10_200_000, mode: 0 },
    { op: 'hook_runner', side: 'host' },
    { op: 'close', side: 'host', fd: 1 },
    { op: 'unshare', side: 'host', flags: 0x400_0000 },
    hook('host', 'readlink /proc/self/ns/uts > uts; pwd >> uts', { dir: 1 }),
    hook('host', 'exit 4'),
  ];
  const { reports } = await runProgram(ops);
  expect(reports[0]?.detail).toBe('error running test hook #0: exit status 4, stdout: , stderr: ');
  const [uts, cwd] = read('uts').split('\n');
  expect([uts, cwd]).toEqual([readlinkSync('/proc/self/ns/uts'), root.dir]);
});
