import { expect, test } from 'bun:test';
import { criLine, logEntries } from './frames.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, content]);
}

async function linesOf(bytes: Buffer, terminal: boolean, pieceBytes: number): Promise<readonly string[]> {
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  return await Array.fromAsync(logEntries(pieces(), terminal), (entry) => criLine(entry).toString());
}

const time = '2026-11-26T16:32:25.270925241Z';

test.each([1, 7, 4096])('frames become lines of the CRI, in pieces of %d bytes', async (pieceBytes) => {
  const bytes = Buffer.concat([frame(1, `${time} out\n`), frame(2, `${time} \n`), frame(1, `${time} a long `), frame(1, `${time} line\n`)]);
  const expected = [`${time} stdout F out\n`, `${time} stderr F \n`, `${time} stdout P a long \n`, `${time} stdout F line\n`];
  expect(await linesOf(bytes, false, pieceBytes)).toEqual(expected);
});

test('a terminal’s lines keep their carriage returns; what has no end yet waits', async () => {
  const bytes = Buffer.from(`${time} one\r\n${time} two\r\n${time} thr`);
  expect(await linesOf(bytes, true, 5)).toEqual([`${time} stdout F one\r\n`, `${time} stdout F two\r\n`]);
});

test('an entry without end is refused', async () => {
  await expect(linesOf(Buffer.alloc(2 << 20, 'x'), true, 65_536)).rejects.toThrow('a log entry of more than 1048576 bytes');
});
