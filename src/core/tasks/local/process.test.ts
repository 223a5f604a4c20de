import { expect, test } from 'bun:test';
import { StrakeError } from '../../../base/index.ts';
import type { ExitRecord } from '../../../kernel/index.ts';
import { rejection } from '../../fixtures.ts';
import { LocalProcess, type MonitorConnection } from './process.ts';

const pending = new Promise<never>(() => {});

function processOver(connection: Partial<MonitorConnection>, { started }: { readonly started: boolean }): LocalProcess {
  const silent = async () => await pending;
  return new LocalProcess({
    id: 'web',
    dir: '/nowhere',
    pid: 1,
    startTime: 1n,
    connection: {
      start: silent,
      resize: silent,
      kill: silent,
      closeStdin: silent,
      reopenLog: silent,
      exited: pending,
      ended: Promise.resolve(),
      close: () => {},
      onOom: () => {},
      ...connection,
    },
    operations: [],
    started,
    lost: () => Promise.reject(new Error('the exit was told')),
    note: undefined,
    awaitMonitor: false,
    explain: (error) => error,
    onStarted: () => {},
    onDelete: () => {},
    onExit: () => {},
  });
}

test('a signal that finds the monitor on its way out finds a process that has finished', async () => {
  const exit = Promise.withResolvers<ExitRecord>();
  const gone = async () => {
    exit.resolve({ code: 3, signal: 0, at: new Date(0), oomKills: 0, cleanupFailure: undefined });
    throw new StrakeError('Unavailable', 'the connection to the monitor ended: write EPIPE');
  };
  const process = processOver({ kill: gone, exited: exit.promise }, { started: true });
  expect(await rejection(process.kill(9))).toBe('NotFound: cannot kill web: process already finished');
  expect(process.state()).toMatchObject({ status: 'stopped', exit: { code: 3 } });
});

test('a start that a daemon before this one asked for has succeeded; another failure is one', async () => {
  const failing = (errno: string) => async () => {
    throw new StrakeError('FailedPrecondition', errno, { fields: { errno } });
  };
  const released = processOver({ start: failing('EALREADY') }, { started: false });
  await released.start();
  expect(released.state()).toEqual({ status: 'running', pid: 1 });
  const refused = processOver({ start: failing('ENOENT') }, { started: false });
  expect([await rejection(refused.start()), refused.state().status]).toEqual(['FailedPrecondition: ENOENT', 'created']);
});
