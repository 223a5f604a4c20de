import { expect, test } from 'bun:test';
import { StrakeError } from '../../../base/index.ts';
import type { ExitRecord } from '../../../kernel/index.ts';
import { rejection } from '../../fixtures.ts';
import { LocalProcess } from './process.ts';

test('a signal that finds the monitor on its way out finds a process that has finished', async () => {
  const exit = Promise.withResolvers<ExitRecord>();
  const gone = async () => {
    exit.resolve({ code: 3, signal: 0, at: new Date(0), oomKills: 0, cleanupFailure: undefined });
    throw new StrakeError('Unavailable', 'the connection to the monitor ended: write EPIPE');
  };
  const process = new LocalProcess({
    id: 'web',
    dir: '/nowhere',
    pid: 1,
    startTime: 1n,
    connection: { start: gone as never, resize: gone, kill: gone, closeStdin: gone, exited: exit.promise, ended: Promise.resolve(), close: () => {} },
    operations: [],
    started: true,
    lost: () => Promise.reject(new Error('the exit was told')),
    note: undefined,
    awaitMonitor: false,
    explain: (error) => error,
    onStarted: () => {},
    onDelete: () => {},
    onExit: () => {},
  });
  expect(await rejection(process.kill(9))).toBe('NotFound: cannot kill web: process already finished');
  expect(process.state()).toMatchObject({ status: 'stopped', exit: { code: 3 } });
});
