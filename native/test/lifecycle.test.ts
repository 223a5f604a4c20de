import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { container, leftovers, makeRoot, namespaceFlags, type Outcome, runProgram } from './harness.ts';

const { ENOENT } = constants.errno;
let root: ReturnType<typeof makeRoot>;
beforeAll(() => (root = makeRoot()));
afterAll(() => {
  expect(leftovers(root.dir)).toEqual([]);
  root.remove();
});

const cleanup = (): Op[] => [
  { op: 'unlink', side: 'host', path: `${root.dir}/none/below` },
  { op: 'unlink', side: 'host', path: `${root.dir}/root` },
  { op: 'unlink', side: 'host', path: `${root.dir}/mark` },
];

test('the cleanup goes on behind a failure, and the exit names the first one', async () => {
  writeFileSync(path.join(root.dir, 'mark'), '');
  const ops = container(root.dir, { cleanup: cleanup() });
  const { exit, status } = await runProgram(ops);
  expect(exit?.cleanupFailure).toEqual({ index: ops.length - 2, errno: constants.errno.EISDIR });
  expect(status).toBe(0);
  expect(existsSync(path.join(root.dir, 'mark'))).toBe(false);
});

test('the cleanup runs after a failed set-up too, and does not hide its cause', async () => {
  writeFileSync(path.join(root.dir, 'mark'), '');
  const { reports, exit } = await runProgram(container(root.dir, { argv: ['/none'], cleanup: cleanup() }));
  expect(reports.map(({ errno, detail }) => [errno, detail])).toEqual([[ENOENT, 'exec: "/none": stat /none: no such file or directory']]);
  expect(exit).toBeUndefined();
  expect(existsSync(path.join(root.dir, 'mark'))).toBe(false);
});

test('an init that is killed while it waits has exited', async () => {
  const { reports, status, exit } = await runProgram(container(root.dir, { waitStart: true }), { onReport: ({ initPid }) => process.kill(initPid, 'SIGKILL') });
  expect(reports).toHaveLength(1);
  expect(exit).toMatchObject({ code: 137, signal: 9 });
  expect(status).toBe(137);
});

/** Runs `ops` as a second process of a container that sleeps meanwhile. */
async function beside(make: (pid: number, startTime: bigint) => Op[]): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const sleeping = runProgram(container(root.dir, { argv: ['sleep', '60'], inside: [{ op: 'sethostname', side: 'init', name: 'shared' }] }), {
    onReport: ({ initPid, initStartTime }) => resolve(runProgram(make(initPid, initStartTime)).finally(() => process.kill(initPid, 'SIGKILL'))),
  });
  const outcome = await promise;
  expect((await sleeping).status).toBe(137);
  return outcome;
}

test('exec joins the namespaces of a container by its pidfd', async () => {
  const { mount, uts, ipc, pid, net } = namespaceFlags;
  const argv = ['sh', '-c', 'hostname; cat /proc/1/comm; grep NSpid /proc/self/status | grep -c .; readlink /proc/self/ns/mnt'];
  let mountNamespace = '';
  const { stdout, reports } = await beside((init, startTime) => {
    mountNamespace = readlinkSync(`/proc/${init}/ns/mnt`);
    return [
      { op: 'pidfd_open', side: 'host', out: 0, pid: init, startTime },
      { op: 'join', side: 'host', fd: 0, flags: pid },
      { op: 'clone', side: 'host', flags: 0 },
      { op: 'join', side: 'init', fd: 0, flags: mount | uts | ipc | net },
      { op: 'chdir', side: 'init', path: '/tmp', uid: 0, gid: 0 },
      { op: 'lookup_exec', side: 'init', file: 'sh', env: ['PATH=/bin'] },
      { op: 'exec', side: 'init', argv, env: ['PATH=/bin'] },
      { op: 'reap', side: 'host' },
    ];
  });
  expect(reports[0]).toMatchObject({ detail: '', phase: 'started' });
  expect(stdout).toBe(`shared\nsleep\n1\n${mountNamespace}\n`);
});

test('a detached init stays for its FIFO, and starts by one byte', async () => {
  const fifo = path.join(root.dir, 'fifo');
  const ops: Op[] = [
    { op: 'mknod_in', side: 'host', path: fifo, mode: 0o010600, major: 0, minor: 0, uid: 0, gid: 0 },
    { op: 'open', side: 'host', out: 9, path: fifo, flags: 2, mode: 0 },
    ...container(root.dir, { argv: ['sh', '-c', 'echo ran > /etc/ran'], waitStart: true })
      .map((op): Op => (op.op === 'wait_start' ? { ...op, fifo: 9 } : op))
      .filter(({ op }) => op !== 'reap'),
    { op: 'detach', side: 'host' },
  ];
  const { reports } = await runProgram(ops, { detached: true });
  expect(reports).toHaveLength(1);
  const pid = reports[0]?.initPid ?? 0;
  expect(reports[0]).toMatchObject({ phase: 'created', detail: '' });
  expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('strake-init\n');
  writeFileSync(fifo, '0');
  execFileSync('sh', ['-c', `while kill -0 ${pid} 2>/dev/null && ! grep -q Z /proc/${pid}/stat; do :; done`]);
  expect(readFileSync(path.join(root.dir, 'upper/etc/ran'), 'utf8')).toBe('ran\n');
  expect(statSync(fifo).isFIFO()).toBe(true);
});
