/** Our engine on the real containerd: what runs goes on while either is killed and comes up again. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { busybox } from '../e2e/steps/step.ts';
import { Engine } from '../lib/engine.ts';
import { warm } from '../lib/play.ts';
import { until } from '../lib/until.ts';

const setupMs = 600_000;
const caseMs = 60_000;
const counting = 'i=0; while [ ! -e /stop ]; do i=$((i+1)); echo $i; usleep 500; done; exit 17';

let engine: Engine;

async function ok(...argv: readonly string[]): Promise<string> {
  const finished = await engine.docker(argv);
  if (finished.code !== 0) throw new Error(`docker ${argv.join(' ')}: exit ${finished.code}: ${finished.stderr}`);
  return finished.stdout.trim();
}

/** Numbers that a container has logged: each once, in order. */
function numbersOf(log: string): readonly number[] {
  const numbers = log.split('\n').map(Number);
  expect(numbers.findIndex((value, index) => index > 0 && value <= (numbers[index - 1] ?? 0))).toBe(-1);
  return numbers;
}

async function killDaemon(): Promise<void> {
  const { daemon } = engine;
  process.kill(daemon.innerPid, 'SIGKILL');
  await daemon.finished;
}

beforeAll(async () => {
  engine = await Engine.startOnContainerd('theirs');
  await warm(engine, busybox);
}, setupMs);

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
}, setupMs);

test(
  'our daemon is killed: pid, exec and exit code stay, and the log goes on',
  async () => {
    await ok('run', '-d', '--name', 'on', busybox, 'sh', '-c', counting);
    const pid = await ok('inspect', '-f', '{{.State.Pid}}', 'on');
    for (let round = 0; round < 3; round++) {
      await killDaemon();
      await engine.startStrake();
      expect(await ok('inspect', '-f', '{{.State.Status}} {{.State.Pid}}', 'on')).toBe(`running ${pid}`);
    }
    expect(await ok('exec', 'on', 'echo', 'here')).toBe('here');
    // Detached: the end of the first process ends it.
    await ok('exec', '-d', 'on', 'touch', '/stop');
    expect(await ok('wait', 'on')).toBe('17');
    // What the daemon had read and not yet written went with it, as it does with dockerd.
    expect(numbersOf(await ok('logs', 'on'))[0]).toBe(1);
    await ok('rm', 'on');
  },
  caseMs,
);

test(
  'one that ended meanwhile has its exit code',
  async () => {
    await ok('run', '-d', '--name', 'ended', busybox, 'sh', '-c', 'sleep 0.5; exit 9');
    await killDaemon();
    await until('the end of the task', async () => (await engine.peers.output(['ctr', '-n', 'moby', 'tasks', 'ls'])).includes('STOPPED'));
    await engine.startStrake();
    expect(await ok('wait', 'ended')).toBe('9');
    await ok('rm', 'ended');
  },
  caseMs,
);

test(
  'containerd comes up anew: what runs is still known, and ends with its code',
  async () => {
    await ok('run', '-d', '--name', 'over', busybox, 'sh', '-c', counting);
    await engine.peers.restartContainerd();
    expect(await ok('inspect', '-f', '{{.State.Status}}', 'over')).toBe('running');
    expect(await ok('exec', 'over', 'echo', 'here')).toBe('here');
    await ok('exec', '-d', 'over', 'touch', '/stop');
    expect(await ok('wait', 'over')).toBe('17');
    const numbers = numbersOf(await ok('logs', 'over'));
    expect(numbers.at(-1)).toBe(numbers.length);
    await ok('rm', 'over');
    await ok('run', '--rm', busybox, 'true');
  },
  caseMs,
);
