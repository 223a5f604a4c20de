import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { container, leftovers, makeRoot, namespaceFlags, runProgram } from './harness.ts';

let root: ReturnType<typeof makeRoot>;
beforeAll(() => (root = makeRoot()));
afterAll(() => {
  expect(leftovers(root.dir)).toEqual([]);
  root.remove();
});

const shell = (script: string) => ['sh', '-c', script];

test('scheduling: policy, I/O priority, affinity, oom score, personality, session keyring', async () => {
  const { stdout, reports } = await runProgram(
    container(root.dir, {
      argv: shell(
        'grep -E "^(policy|prio) " /proc/self/sched; grep Cpus_allowed_list /proc/self/status; cat /proc/self/oom_score_adj /proc/self/personality; busybox uname -m',
      ),
      inside: [
        { op: 'scheduler', side: 'init', policy: 3, nice: 5, priority: 0, runtime: 0, deadline: 0, period: 0 },
        { op: 'ioprio', side: 'init', value: (2 << 13) | 7 },
        { op: 'affinity', side: 'init', mask: Uint8Array.of(1) },
        { op: 'oom_score_adj', side: 'init', value: 500 },
        { op: 'keyring', side: 'init', name: '_ses.test' },
        { op: 'personality', side: 'init', persona: 8 },
        { op: 'pdeathsig', side: 'init', signal: 9 },
      ],
    }),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout.replace(/[ \t]+/g, ' ')).toContain('Cpus_allowed_list: 0\n500\n00000008\ni686\n');
});

test('a time namespace with its offsets', async () => {
  const ops: Op[] = [
    { op: 'unshare', side: 'host', flags: 0x80 },
    { op: 'time_offsets', side: 'host', text: 'monotonic 0 0\nboottime 1000000 0\n' },
    ...container(root.dir, { argv: shell('test $(busybox cut -d. -f1 /proc/uptime) -ge 1000000 && echo shifted') }),
  ];
  expect((await runProgram(ops)).stdout).toBe('shifted\n');
});

test('an id-mapped bind shows owners through the map of a user namespace', async () => {
  const source = path.join(root.dir, 'mapped');
  mkdirSync(source);
  writeFileSync(path.join(source, 'file'), '');
  chownSync(path.join(source, 'file'), 5, 6);
  const { user } = namespaceFlags;
  // A first program makes the user namespace that a second one maps with.
  let stdout = '';
  const made = Promise.withResolvers<void>();
  const first = runProgram(
    [
      { op: 'clone', side: 'host', flags: user },
      { op: 'id_map', side: 'host', kind: 0, text: '5 100005 1\n' },
      { op: 'id_map', side: 'host', kind: 1, text: '6 100006 1\n' },
      { op: 'lookup_exec', side: 'init', file: '/bin/sleep', env: [] },
      { op: 'exec', side: 'init', argv: ['sleep', '60'], env: [] },
      { op: 'reap', side: 'host' },
    ],
    {
      onReport: ({ initPid }) => {
        const mounts: Op[] = [
          { op: 'open', side: 'init', out: 7, path: `/proc/${initPid}/ns/user`, mode: 0 },
          { op: 'mount_bind', side: 'init', root: 0, target: '/mapped', source, create: 1, userns: 7 },
        ];
        runProgram(container(root.dir, { argv: shell('stat -c %u:%g /mapped/file'), mounts }))
          .then((outcome) => (stdout = outcome.stdout + (outcome.reports[0]?.detail ?? '')))
          .finally(() => process.kill(initPid, 'SIGKILL'))
          .then(() => made.resolve(), made.reject);
      },
    },
  );
  await made.promise;
  await first;
  expect(stdout).toBe('100005:100006\n');
});

test('the pty goes to a console socket, under the name that runc gives it', async () => {
  const socket = path.join(root.dir, 'console.sock');
  const received = Promise.withResolvers<string>();
  const server = createServer((connection) => connection.once('data', (data) => received.resolve(data.toString())));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const ops: Op[] = [
    { op: 'connect_unix', side: 'host', out: 3, path: socket },
    ...container(root.dir, {
      inside: [
        { op: 'setsid', side: 'init' },
        { op: 'terminal', side: 'init', consoleSocket: 3, rows: 0, cols: 0, console: 1 },
      ],
    }),
  ];
  const { reports } = await runProgram(ops);
  expect(reports[0]?.detail).toBe('');
  expect(await received.promise).toBe('/dev/ptmx');
  server.close();
});

test('cgroup v1 directories as seen from inside: pairs, links, read-only', async () => {
  const one = path.join(root.dir, 'controller');
  mkdirSync(one);
  writeFileSync(path.join(one, 'tasks'), '1\n');
  const { stdout, stderr, reports } = await runProgram(
    container(root.dir, {
      argv: shell('ls -1 /cg; cat /cg/cpu/tasks; echo 2 > /cg/cpu/tasks'),
      mounts: [{ op: 'mount_cgroup_v1', side: 'init', root: 0, target: '/cg', dirs: [one, 'cpu,cpuacct'], links: ['cpu', 'cpu,cpuacct'], attrs: 1 }],
    }),
  );
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe('cpu\ncpu,cpuacct\n1\n');
  expect(stderr).toContain('Read-only file system');
});

test('one layer without an upper directory is a read-only root', async () => {
  const ops = container(root.dir, { argv: shell('echo x > /etc/x') }).map((op): Op => (op.op === 'overlay' ? { ...op, upper: '', work: '' } : op));
  const { stderr, status } = await runProgram(ops);
  expect(stderr).toContain('Read-only file system');
  expect(status).toBe(1);
});

test('an option that a filesystem refuses is named, in the words of the kernel', async () => {
  const mounts: Op[] = [{ op: 'mount_fs', side: 'init', root: 0, target: '/tmp', fstype: 'tmpfs', source: 'tmpfs', options: ['size=banana'] }];
  const { reports } = await runProgram(container(root.dir, { mounts }));
  expect(reports[0]).toMatchObject({
    errno: 22,
    detail: `error mounting "tmpfs" to rootfs at "/tmp": new tmpfs with size=banana: tmpfs: Bad value for 'size'`,
  });
});

test('a process cloned into a v2 cgroup is bound by its device program', async () => {
  const unified = existsSync('/sys/fs/cgroup/unified') ? '/sys/fs/cgroup/unified' : '/sys/fs/cgroup';
  const group = path.join(unified, `strake-test-${process.pid}`);
  // struct bpf_insn: r0 = 0 (deny); exit
  const deny = Buffer.from('b7000000000000009500000000000000', 'hex');
  const ops: Op[] = [
    { op: 'mkdir', side: 'host', path: group, mode: 0o755 },
    { op: 'cgroup_device', side: 'host', dir: group, program: deny },
    { op: 'open', side: 'host', out: 4, path: group, flags: 0o10_200_000, mode: 0 },
    ...container(root.dir, {
      argv: shell('grep "^0::" /proc/self/cgroup; cat /dev/zero'),
      cleanup: [{ op: 'rmdir', side: 'host', path: group, timeoutMs: 1000 }],
    }).map((op): Op => (op.op === 'clone' ? { ...op, cgroup: 4 } : op.op === 'mknod_in' ? { ...op, flags: 1 } : op)),
  ];
  const { stdout, stderr, exit, reports } = await runProgram(ops);
  expect(reports[0]?.detail).toBe('');
  expect(stdout).toBe(`0::/strake-test-${process.pid}\n`);
  expect(stderr).toContain("can't open '/dev/zero': Operation not permitted");
  expect(exit?.cleanupFailure).toBeUndefined();
  expect(existsSync(group)).toBe(false);
});
