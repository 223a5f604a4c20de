import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Op } from '../../src/kernel/program/index.ts';
import { type ContainerOptions, container, leftovers, makeRoot } from './harness.ts';
import { collect, monitored, monitorFlags, shell, Task, until, World } from './monitored.ts';

const world = new World();
let root: ReturnType<typeof makeRoot>;
beforeAll(() => {
  root = makeRoot();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  root.remove();
});
afterEach(() => expect(leftovers(root.dir)).toEqual([]));

let count = 0;
async function launch(options: ContainerOptions, flags: number, oomFile = ''): Promise<Task> {
  count += 1;
  const dir = world.path(`container${count}`);
  mkdirSync(dir);
  const [monitor] = monitored(dir, [], { flags, oomFile });
  const { connection, report } = await world.launcher.launch([monitor as Op, ...container(root.dir, { waitStart: true, ...options })]);
  return new Task(dir, connection, report.initPid);
}

test('a container on a terminal of its own devpts', async () => {
  const task = await launch(
    {
      argv: shell('tty; readlink /proc/self/fd/0; ls -l /dev/console | grep -c "136,"; echo $$'),
      inside: [
        { op: 'setsid', side: 'init' },
        { op: 'terminal', side: 'init', rows: 24, cols: 80, console: 1 },
      ],
    },
    monitorFlags.terminal | monitorFlags.stdin,
  );
  const client = await task.attachAndStart({ stdin: true });
  expect((await collect(client)).stdout).toBe('/dev/pts/0\r\n/dev/pts/0\r\n1\r\n1\r\n');
  expect(await task.code()).toBe(0);
});

test('all output of a dead pid namespace arrives, without a wait', async () => {
  const task = await launch({ argv: shell('(while :; do echo background; done) & i=0; while [ $i -lt 200 ]; do i=$((i+1)); done; echo last; exit 3') }, 0);
  const client = await task.attachAndStart();
  const { stdout } = await collect(client);
  expect(stdout).toContain('last\n');
  expect(await task.code()).toBe(3);
});

/** In a memory cgroup of 32 MiB, which goes when `use` has ended. */
async function limited(script: string, use: (task: Task, file: string) => Promise<void>): Promise<void> {
  const v1 = existsSync('/sys/fs/cgroup/memory/cgroup.procs');
  const cgroup = `${v1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup'}/strake-test-${process.pid}`;
  const file = path.join(cgroup, v1 ? 'memory.oom_control' : 'memory.events');
  mkdirSync(cgroup);
  try {
    const task = await launch(
      {
        argv: shell(script),
        hostBeforeInit: [
          { op: 'write_file', side: 'host', path: path.join(cgroup, v1 ? 'memory.limit_in_bytes' : 'memory.max'), data: Buffer.from('33554432') },
          {
            op: 'write_file',
            side: 'host',
            path: path.join(cgroup, v1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max'),
            data: Buffer.from(v1 ? '33554432' : '0'),
            flags: 2,
          },
          { op: 'cgroup_attach', side: 'host', dir: cgroup },
        ],
        cleanup: [{ op: 'rmdir', side: 'host', path: cgroup, timeoutMs: 2000 }],
      },
      0,
      file,
    );
    await use(task, file);
    await until('the cgroup is gone', () => !existsSync(cgroup));
  } finally {
    if (existsSync(cgroup)) spawnSync('rmdir', [cgroup]);
  }
}

const sigusr1 = 10;
const tooMuch = 'busybox dd if=/dev/zero of=/dev/null bs=200M count=1';

test('killed for memory: that is told, then the exit, which says so', async () => {
  await limited(`exec ${tooMuch}`, async (task) => {
    let told = 0;
    task.connection.onOom = () => {
      told += 1;
    };
    await task.connection.start();
    expect(await task.connection.exited).toMatchObject({ code: 137, signal: 9, oomKills: 1, cleanupFailure: undefined });
    expect(told).toBe(1);
    task.connection.close();
    expect(readFileSync(path.join(task.dir, 'exit'), 'utf8')).toMatch(/^137 9 \d+ 1\n$/);
  });
});

test('a child killed for memory is told of when it happens, each once; what nobody heard, who watches next', async () => {
  await limited(`trap go=1 USR1; ${tooMuch}; until test "$go"; do busybox usleep 5000; done; ${tooMuch}; sleep 1000`, async (task, file) => {
    const first = Promise.withResolvers<void>();
    task.connection.onOom = first.resolve;
    await task.connection.start();
    await first.promise;
    task.connection.close();
    const next = await task.connect();
    await next.kill(sigusr1);
    await until('the second kill', () => readFileSync(file, 'utf8').includes('oom_kill 2'));
    const second = Promise.withResolvers<void>();
    let told = 0;
    next.onOom = () => {
      told += 1;
      second.resolve();
    };
    await next.watch();
    await second.promise;
    await next.kill(9);
    expect(await next.exited).toMatchObject({ code: 137, oomKills: 2 });
    expect(told).toBe(1);
    next.close();
  });
});
