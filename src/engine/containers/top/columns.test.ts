import { expect, test } from 'bun:test';
import { parsePsArguments } from './columns.ts';
import type { ProcessRow } from './process-table.ts';

const row: ProcessRow = {
  pid: 5,
  ppid: 1,
  pgid: 5,
  session: 5,
  uid: 0,
  gid: 0,
  state: 'S',
  comm: 'sh',
  commandLine: 'sh -c x',
  tty: 0x8803,
  cpuTicks: 372_500,
  startTicks: 0,
  nice: 0,
  threads: 1,
  vszKiB: 100,
  rssKiB: 50,
};

test.each([
  ['-ef', 'UID PID PPID C STIME TTY TIME CMD'],
  ['aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
  ['-o pid,comm,args', 'PID COMMAND COMMAND'],
  ['-eo user,pid,ppid=PARENT', 'USER PID PARENT'],
  ['-e', 'PID TTY TIME CMD'],
])('%s', (text, titles) => {
  expect(
    parsePsArguments(text)
      .map(({ title }) => title)
      .join(' '),
  ).toBe(titles);
});

test('values', () => {
  expect(parsePsArguments('-o pid,ppid,tty,time,comm,args,rss').map(({ value }) => value(row))).toEqual(['5', '1', 'pts/3', '01:02:05', 'sh', 'sh -c x', '50']);
});

test.each([
  ['-o nonsense', 'unknown user-defined format specifier "nonsense"'],
  ['-o comm', "Couldn't find PID field in ps output"],
  ['--forest', 'ps arguments "--forest" are not supported'],
])('%s is refused', (text, message) => {
  expect(() => parsePsArguments(text)).toThrow(message);
});
