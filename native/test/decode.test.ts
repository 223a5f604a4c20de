import { expect, test } from 'bun:test';
import { constants } from 'node:os';
import { encodeProgram, type Op } from '../../src/kernel/program/index.ts';
import { runBytes, runProgram } from './harness.ts';

const invalid = constants.errno.EINVAL;
const valid = encodeProgram([{ op: 'write_file', side: 'host', path: '/nowhere/to/be', data: Buffer.from('abc'), flags: 2 }]);

function changed(edit: (bytes: Buffer) => Buffer | undefined): Buffer {
  const copy = Buffer.from(valid);
  return edit(copy) ?? copy;
}
const set = (offset: number, ...bytes: number[]) => changed((copy) => void copy.set(bytes, offset));

const malformed: [name: string, bytes: Buffer, detail: string][] = [
  ['no bytes', Buffer.alloc(0), 'program: not a program'],
  ['wrong magic', set(0, 0x53, 0x54, 0x52, 0x4c), 'program: not a program'],
  ['wrong version', set(4, 2), 'program: unknown version'],
  ['one operation too many', set(8, 2), 'program: truncated operation'],
  ['one operation too few', set(8, 0), 'program: trailing bytes'],
  ['too many operations', set(8, 0xff, 0xff, 0xff, 0xff), 'program: header does not match its length'],
  ['wrong length', set(12, 0), 'program: header does not match its length'],
  ['reserved bytes', set(16, 1), 'program: header does not match its length'],
  ['cut short', valid.subarray(0, valid.length - 1), 'program: header does not match its length'],
  ['unknown operation', set(24, 0xff, 0xff), 'program: unknown operation'],
  ['side that is none', set(26, 7), 'program: write_file: operation is not for this side'],
  ['file side in a program', set(26, 2), 'program: write_file: operation is not for this side'],
  ['payload beyond the end', set(28, 0xff, 0xff, 0xff, 0xff), 'program: write_file: truncated operation'],
  ['payload with a byte less', set(28, valid.readUInt32LE(28) - 1), 'program: write_file: truncated field'],
  ['string beyond the payload', set(32, 0xff, 0xff, 0xff, 0x7f), 'program: write_file: truncated bytes'],
  ['string with a NUL', set(40, 0), 'program: write_file: string has a NUL'],
  ['bytes beyond the payload', set(50, 0xff, 0xff, 0xff, 0xff), 'program: write_file: truncated bytes'],
];

test.each(malformed)('%s', async (_name, bytes, detail) => {
  const { reports, status } = await runBytes(bytes);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ errno: invalid, detail, initPid: 0 });
  expect(reports[0]?.failedIndex).toBeDefined();
  expect(status).toBe(1);
});

test('every byte changed is refused or does what it says, never a crash', async () => {
  for (let offset = 24; offset < 50; offset++) {
    const { status } = await runBytes(set(offset, (valid[offset] ?? 0) ^ 0x80));
    expect([offset, status === 0 || status === 1]).toEqual([offset, true]);
  }
});

const clone: Op = { op: 'clone', side: 'host', flags: 0 };
const exec: Op = { op: 'exec', side: 'init', argv: ['x'], env: [] };
const waitStart: Op = { op: 'wait_start', side: 'init' };
const reap: Op = { op: 'reap', side: 'host' };
const close: Op = { op: 'close', side: 'host', fd: 1 };

test.each<[string, Op[], number, string]>([
  ['init before clone', [{ op: 'setsid', side: 'init' }], 0, 'setsid: there is no init before clone'],
  ['two inits', [clone, clone, exec, reap], 1, 'clone: a program has one init'],
  ['no exec', [clone, close], 1, 'close: the init has no exec'],
  ['nobody waits', [clone, exec, close], 2, 'close: an init needs reap or detach'],
  ['reap without init', [reap], 0, 'reap: there is nothing to wait for'],
  ['host after wait_start', [clone, waitStart, close, exec, reap], 2, 'close: the host cannot act between wait_start and exec'],
  ['init after exec', [clone, exec, { op: 'setsid', side: 'init' }, reap], 2, 'setsid: the init has ended here'],
])('order: %s', async (_name, ops, index, detail) => {
  const { reports } = await runProgram(ops);
  expect(reports[0]).toMatchObject({ failedIndex: index, errno: invalid, detail: `program: ${detail}` });
});

test('a slot that does not exist is refused', async () => {
  expect((await runProgram([{ op: 'close', side: 'host', fd: 64 }])).reports[0]).toMatchObject({
    failedIndex: 0,
    detail: 'program: close: slot is out of range',
  });
});
