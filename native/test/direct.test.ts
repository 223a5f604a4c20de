import { expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { DirectLauncher } from '../../src/kernel/launch/index.ts';
import type { Op } from '../../src/kernel/program/index.ts';
import { strakeInit } from './harness.ts';
import { environment, shell, until } from './monitored.ts';

const launcher = new DirectLauncher({ initPath: strakeInit });
const ownDescriptors = () => readdirSync('/proc/self/fd').length;
const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
const program = (argv: readonly string[], waitStart = false): Op[] => [
  { op: 'clone', side: 'host' },
  { op: 'lookup_exec', side: 'init', file: argv[0] ?? '', env: environment },
  ...(waitStart ? [{ op: 'wait_start', side: 'init' } as const] : []),
  { op: 'exec', side: 'init', argv, env: environment },
  { op: 'reap', side: 'host' },
];

test('a process below this one: started, signalled, reaped', async () => {
  const { connection, report } = await launcher.launch(program(['sleep', '60'], true));
  expect(report.phase).toBe('created');
  expect(await connection.start()).toMatchObject({ phase: 'started', initPid: report.initPid });
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${report.initPid}/status`, 'utf8'))?.[1]);
  expect(Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${parent}/status`, 'utf8'))?.[1])).toBe(process.pid);
  await connection.kill(15);
  expect(await connection.exited).toMatchObject({ code: 143, signal: 15 });
  connection.close();
});

test('30 programs leave no descriptor and no child', async () => {
  await launcher.run([]);
  await until('the first one is gone', () => children() === '');
  const before = ownDescriptors();
  for (let i = 0; i < 30; i++) {
    const { connection } = await launcher.launch(program(shell(`exit ${i}`)));
    expect((await connection.exited).code).toBe(i);
    connection.close();
  }
  await until('all are gone', () => children() === '' && ownDescriptors() === before);
});

test('a file session', async () => {
  const session = await launcher.fileSession([
    { op: 'open', side: 'host', out: 0, path: '/proc', flags: 0o10_200_000, mode: 0 },
    { op: 'chroot', side: 'host', root: 0 },
    { op: 'files', side: 'host' },
  ]);
  expect((await session.stat('/self/status', { follow: true })).mode & 0o170000).toBe(0o100000);
  session.close();
});

test('failures: the executable, the program', async () => {
  await expect(new DirectLauncher({ initPath: '/no/such/strake-init' }).run([])).rejects.toMatchObject({ code: 'Unavailable' });
  await expect(new DirectLauncher({ initPath: '/bin/false' }).run([])).rejects.toMatchObject({ code: 'Unavailable' });
  await expect(launcher.run(program(['no-such-command']))).rejects.toMatchObject({
    code: 'NotFound',
    message: 'exec: "no-such-command": executable file not found in $PATH',
  });
});
