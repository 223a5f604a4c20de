/**
 * `kill -9` of the daemon while one container prints numbers and another is being created: the first keeps its pid, its log has no gap,
 * exec works after the restart, its exit code arrives; the second either exists or left nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../lib/engine.ts';
import type { Snapshot } from '../lib/leaks.ts';
import { settledLeaks, snapshot } from '../lib/leaks.ts';
import { until } from '../lib/until.ts';
import { busybox, image } from './steps/step.ts';

const setupMs = 600_000;
const caseMs = 240_000;
/** Moments after the request at which the daemon dies, in ms: before, during and after each phase of creating. */
const delaysMs = [0, 1, 2, 3, 5, 7, 9, 12, 15, 18, 22, 26, 30, 40, 60];
/** RELIABILITY.md, Faults: a killed daemon answers within 2 s of its restart. */
const restartLimitMs = 2_000;
const layers = image('layers');
/** The daemon is another process than before, and its zygote is started when it is needed first. */
const isOurs = (line: string) => /^process (gained|lost): \d+ \S*(strake daemon|strake-init zygote)|^(file|socket) (gained|lost): .*\/zygote\.sock$/.test(line);
const imageMount = `type=image,source=${busybox},target=/img`;
const counting = 'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; usleep 500; done; exit 17';

let engine: Engine;

async function ok(...argv: readonly string[]): Promise<string> {
  const finished = await engine.docker(argv);
  if (finished.code !== 0) throw new Error(`docker ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr}`);
  return finished.stdout.trim();
}

async function killDaemon(): Promise<void> {
  const { daemon } = engine;
  const pid = daemon.innerPid;
  process.kill(pid, 'SIGKILL');
  await daemon.finished;
  expect(existsSync(`/proc/${pid}`)).toBe(false);
}

async function restartDaemon(): Promise<void> {
  const begun = performance.now();
  await engine.startStrake();
  expect(performance.now() - begun).toBeLessThan(restartLimitMs);
}

/** The numbers that a container has logged, which must be 1, 2, 3 … without a gap or a repetition. */
function expectNoGap(log: string): number {
  const numbers = log.trim().split('\n').map(Number);
  const wrong = numbers.findIndex((value, index) => value !== index + 1);
  expect(wrong === -1 ? 'no gap' : `line ${wrong + 1} is ${numbers[wrong]}`).toBe('no gap');
  return numbers.length;
}

beforeAll(async () => {
  engine = await Engine.start('strake');
  await ok('pull', '-q', busybox);
  await ok('run', '--rm', '-p', '80', '--mount', imageMount, busybox, 'true');
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

describe('kill -9 of the daemon', () => {
  test(
    'a running container keeps its pid, its log and its exit code; one being created exists or left nothing',
    async () => {
      const before = await held();
      await ok('run', '-d', '--name', 'counter', busybox, 'sh', '-c', counting);
      const pid = await ok('inspect', '--format', '{{.State.Pid}}', 'counter');
      let counted = 0;
      for (const delayMs of delaysMs) {
        const creating = engine.dockerSpawn(['run', '-d', '--name', 'second', busybox, 'sleep', '1000']);
        await until(
          'the client to have connected',
          () => creating.exited || engine.world.pids().some((one) => engine.world.commandLine(one).includes('\0second\0')),
        );
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await killDaemon();
        await creating.finished;
        await restartDaemon();
        expect(await ok('inspect', '--format', '{{.State.Pid}} {{.State.Running}}', 'counter')).toBe(`${pid} true`);
        expect(await ok('exec', 'counter', 'echo', 'still here')).toBe('still here');
        const soFar = expectNoGap(await ok('logs', 'counter'));
        expect(soFar).toBeGreaterThan(counted);
        counted = soFar;
        const second = await engine.docker(['inspect', '--format', '{{.State.Status}}', 'second']);
        if (second.code === 0) await ok('rm', '-f', 'second');
        // What is left of it or of its death: one more may be made under the same name.
        await ok('run', '--rm', '--name', 'second', busybox, 'true');
      }
      const waiting = engine.dockerSpawn(['wait', 'counter']);
      await ok('exec', 'counter', 'touch', '/stop').catch(() => undefined);
      expect((await waiting.finished).stdout.trim()).toBe('17');
      expectNoGap(await ok('logs', 'counter'));
      await ok('rm', 'counter');
      await expectClean(before);
    },
    caseMs,
  );

  test(
    'SIGTERM ends the daemon though containers run, paused and attached ones too; the next one has them',
    async () => {
      const before = await held();
      await ok('run', '-d', '--name', 'counter', busybox, 'sh', '-c', counting);
      await ok('run', '-d', '--name', 'paused', busybox, 'sleep', '1000');
      await ok('pause', 'paused');
      const attached = engine.dockerSpawn(['attach', 'counter']);
      await attached.output(/\d\n/);
      process.kill(engine.daemon.innerPid, 'SIGTERM');
      await until('the daemon to end', () => engine.daemon.exited);
      expect(await engine.daemon.finished).toMatchObject({ code: 0 });
      await attached.finished;
      await restartDaemon();
      expect(await ok('inspect', '--format', '{{.State.Status}}', 'counter', 'paused')).toBe('running\npaused');
      expectNoGap(await ok('logs', 'counter'));
      await ok('rm', '-f', 'counter', 'paused');
      await expectClean(before);
    },
    caseMs,
  );

  test(
    'published ports lead to their container while no daemon runs, and after the next one has come, whatever became of the rules',
    async () => {
      const before = await held();
      const serve = ['sh', '-c', 'echo hello >/tmp/index.html; exec httpd -f -p 80 -h /tmp'];
      await ok('run', '-d', '--name', 'served', '-p', '127.0.0.1:8080:80', '-p', '80', busybox, ...serve);
      const ports = await ok('port', 'served');
      const get = ['python3', '-c', 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8080/", timeout=5).read().decode())'];
      await until('the server to answer', async () => (await engine.world.run(get)).stdout.trim() === 'hello');
      await killDaemon();
      expect((await engine.world.output(get)).trim()).toBe('hello');
      await engine.peers.output(['nft', 'flush', 'ruleset']);
      await restartDaemon();
      expect((await engine.world.output(get)).trim()).toBe('hello');
      expect(await ok('port', 'served')).toBe(ports);
      const taken = await engine.docker(['run', '--rm', '-p', '8080:80', busybox, 'true']);
      expect(taken).toMatchObject({ code: 125, stderr: expect.stringContaining('Bind for 0.0.0.0:8080 failed: port is already allocated') });
      await ok('stop', '-t', '0', 'served');
      await ok('run', '--rm', '-p', '8080:80', busybox, 'true');
      await ok('rm', 'served');
      await expectClean(before);
    },
    caseMs,
  );

  test(
    'an exit while no daemon runs is reported by the next one',
    async () => {
      const before = await held();
      await ok('run', '-d', '--name', 'short', '--mount', imageMount, busybox, 'sh', '-c', `[ -e /img/bin ] || exit 1; ${counting}`);
      const pid = Number(await ok('inspect', '--format', '{{.State.Pid}}', 'short'));
      await killDaemon();
      expect(engine.world.alive(pid)).toBe(true);
      await engine.world.output(['touch', `/proc/${pid}/root/stop`]);
      await until('the container to end', () => !engine.world.alive(pid));
      await restartDaemon();
      expect(await ok('wait', 'short')).toBe('17');
      expect(await ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'short')).toBe('exited 17');
      expectNoGap(await ok('logs', 'short'));
      await ok('start', 'short');
      expect(await ok('wait', 'short')).toBe('17');
      await ok('rm', '-f', 'short');
      await expectClean(before);
    },
    caseMs,
  );
});

/** An operation that is cut short, what makes it possible before, and what must be possible after; nothing may stay in the end. */
interface Cut {
  readonly name: string;
  before?(): Promise<unknown>;
  readonly argv: readonly string[];
  after(): Promise<unknown>;
}

const second = ['run', '-d', '--name', 'second', busybox, 'sleep', '1000'] as const;
const cuts: readonly Cut[] = [
  {
    name: 'pull',
    argv: ['pull', layers],
    async after() {
      expect(await ok('run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      await ok('rmi', layers);
    },
  },
  {
    name: 'rmi',
    before: async () => await ok('pull', '-q', layers),
    argv: ['rmi', layers],
    async after() {
      await ok('pull', '-q', layers);
      expect(await ok('run', '--rm', layers, 'cat', '/cake/kept')).toBe('kept');
      await ok('rmi', layers);
    },
  },
  { name: 'exec', before: async () => await ok(...second), argv: ['exec', 'second', 'sleep', '1000'], after: async () => await ok('rm', '-f', 'second') },
  {
    name: 'stop',
    before: async () => await ok('run', '-d', '--init', ...second.slice(2)),
    argv: ['stop', '-t', '1', 'second'],
    async after() {
      await ok('stop', '-t', '1', 'second');
      expect(await ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'second')).toBe('exited 143');
      await ok('rm', 'second');
    },
  },
  { name: 'rm -f', before: async () => await ok(...second), argv: ['rm', '-f', 'second'], after: async () => await engine.docker(['rm', '-f', 'second']) },
  {
    name: 'run --rm',
    argv: ['run', '--rm', '--name', 'second', busybox, 'true'],
    async after() {
      // Created and not started, it stays, as with docker; ended, it goes.
      await engine.docker(['rm', '-f', 'second']);
    },
  },
  {
    name: 'start',
    before: async () => await ok('create', '--name', 'second', busybox, 'sleep', '1000'),
    argv: ['start', 'second'],
    async after() {
      await ok('start', 'second');
      expect(await ok('exec', 'second', 'echo', 'runs')).toBe('runs');
      await ok('rm', '-f', 'second');
    },
  },
];
const cutDelaysMs = [0, 3, 8, 15, 25, 40, 80];

describe('kill -9 of the daemon in the middle of', () => {
  test.each(cuts)(
    '$name',
    async ({ before, argv, after }) => {
      const first = await everything();
      for (const delayMs of cutDelaysMs) {
        await before?.();
        const cut = engine.dockerSpawn(argv);
        await until('the client to run', () => cut.exited || engine.world.pids().some((pid) => isClient(pid, argv)));
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        await killDaemon();
        await cut.finished;
        await restartDaemon();
        await after();
        expect(await ok('ps', '-aq')).toBe('');
      }
      expect(await settledLeaks(first, everything, isOurs)).toEqual([]);
    },
    caseMs,
  );

  function isClient(pid: number, argv: readonly string[]): boolean {
    return engine.world.commandLine(pid).endsWith(`\0${argv.join('\0')}\0`);
  }

  async function everything(): Promise<Snapshot> {
    await engine.deletionsDone();
    const parts = ['snapshots', 'content', 'containers', 'volumes'].map((part) => join(engine.dataRoot, part));
    return await snapshot(engine.peers, { trees: [engine.execRoot, ...parts] });
  }
});

describe('kill -9 of what runs containers', () => {
  /** `process gained` and `lost` of the zygote are its successor's. */
  const named = (world: Engine['world'], part: string): number[] => world.pids().filter((pid) => world.commandLine(pid).replaceAll('\0', ' ').includes(part));

  /** By its pid in the world. */
  async function kill(pid: number): Promise<void> {
    await engine.world.output(['kill', '-9', String(pid)]);
    await until(`the end of ${pid}`, () => !engine.world.alive(pid));
  }

  async function startCounter(name: string, ...flags: readonly string[]): Promise<{ readonly init: number; readonly monitor: number }> {
    await ok('run', '-d', '--name', name, ...flags, busybox, 'sh', '-c', counting);
    const init = Number(await ok('inspect', '--format', '{{.State.Pid}}', name));
    return { init, monitor: Number(engine.world.status(init, 'PPid')) };
  }

  test(
    'the monitor: its init dies with it, the exit is 137, nothing stays',
    async () => {
      const before = await held();
      const { init, monitor } = await startCounter('orphan');
      const waiting = engine.dockerSpawn(['wait', 'orphan']);
      await kill(monitor);
      await until('the init to die', () => !engine.world.alive(init));
      expect((await waiting.finished).stdout.trim()).toBe('137');
      expect(await ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}', 'orphan')).toBe('exited 137 0');
      expectNoGap(await ok('logs', 'orphan'));
      await ok('start', 'orphan');
      await ok('rm', '-f', 'orphan');
      await expectClean(before);
    },
    caseMs,
  );

  test.each(['', '--init', '--user=1000:1000', '--pid=host'])(
    'the monitor while no daemon runs: the next one tells 137 and takes away what is left (run %s)',
    async (flag) => {
      const before = await held();
      const { init, monitor } = await startCounter('alone', ...(flag === '' ? [] : [flag]));
      await killDaemon();
      await kill(monitor);
      await until('the init to die', () => !engine.world.alive(init));
      await restartDaemon();
      expect(await ok('wait', 'alone')).toBe('137');
      await ok('rm', 'alone');
      await expectClean(before);
    },
    caseMs,
  );

  test(
    'the zygote: containers stay, a new one takes its place',
    async () => {
      const before = await held();
      const { init } = await startCounter('stays');
      const [zygote = 0] = named(engine.world, 'strake-init zygote');
      await kill(zygote);
      expect(engine.world.alive(init)).toBe(true);
      expect(await ok('exec', 'stays', 'echo', 'still here')).toBe('still here');
      expect(await ok('run', '--rm', busybox, 'echo', 'another')).toBe('another');
      const [successor = 0, ...others] = named(engine.world, 'strake-init zygote');
      expect([successor > 0, successor === zygote, others]).toEqual([true, false, []]);
      // Killed while many start: each is made or says why, and none is half there.
      const starting = Array.from({ length: 6 }, (_, index) => engine.dockerSpawn(['run', '--rm', '--name', `many-${index}`, busybox, 'true']));
      await kill(successor);
      for (const one of starting) {
        const finished = await one.finished;
        expect(finished.code === 0 || finished.stderr.trim() !== '').toBe(true);
      }
      expect(await ok('ps', '-aq', '--filter', 'name=many')).toBe('');
      expectNoGap(await ok('logs', 'stays'));
      await ok('rm', '-f', 'stays');
      await expectClean(before);
    },
    caseMs,
  );
});

async function held(): Promise<Snapshot> {
  await engine.deletionsDone();
  return await snapshot(engine.peers, { trees: [engine.execRoot] });
}

/** The daemon's own process is another one than before; nothing else may be. */
async function expectClean(before: Snapshot): Promise<void> {
  expect(await settledLeaks(before, held, isOurs)).toEqual([]);
}
