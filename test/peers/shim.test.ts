/** The real containerd and ctr over our shim, beside their own. What is seen must be equal. */
import { beforeAll, expect, test } from 'bun:test';
import type { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import { image } from './ctr-steps.ts';
import { startCtrWorld, stepMs, testLogUri, testSteps } from './ctr-tests.ts';

const ours = 'io.containerd.strake.v2';
const runtimes = ['io.containerd.runc.v2', ours] as const;

const world = startCtrWorld();
let peers: PeerWorld;

beforeAll(() => {
  ({ peers } = world);
});

testSteps(world, 'over our shim as over containerd’s', runtimes);

interface Seen {
  readonly topic: string;
  readonly event: Readonly<Record<string, unknown>>;
}

/** What ctr prints of events about the container `id` until its `last`, without times and pids. */
async function eventsOf(id: string, last: string, work: () => Promise<void>): Promise<readonly Seen[]> {
  const events = peers.spawn(['ctr', 'events']);
  const all = () => events.stdout.split('\n').flatMap((line) => parseEvent(line, id));
  // The subscription is there when its first event is.
  await until('events to come', async () => {
    await peers.run(['ctr', 'namespaces', 'label', 'default', `probe=${Date.now()}`]);
    return events.stdout !== '';
  });
  try {
    await work();
    await until('the last event', () => all().some(({ topic, event }) => topic === last && (topic !== '/tasks/exit' || event['id'] === id)));
  } finally {
    await events.stop();
  }
  return all();
}

/** containerd's shim may end before the deletion is told. */
const kept = (events: readonly Seen[] = []) => events.filter(({ topic }) => topic !== '/tasks/delete');

/** containerd's shim hears of it beside the exit, and may tell it later, or not before its own end. */
const withoutOom = (events: readonly Seen[]) => events.filter(({ topic }) => topic !== '/tasks/oom');

function parseEvent(line: string, id: string): readonly Seen[] {
  const [, topic, json] = /(\/tasks\/\S+) (\{.*\})$/.exec(line) ?? [];
  if (topic === undefined || json === undefined) return [];
  const { exited_at: _at, pid: _pid, bundle: _bundle, rootfs: _rootfs, io: _io, ...event } = JSON.parse(json) as Record<string, unknown>;
  return event['container_id'] === id ? [{ topic, event }] : [];
}

const run = (runtime: string, id: string, flags: readonly string[], command: readonly string[]) => [
  ...['ctr', 'run', '--runtime', runtime, ...flags, image, id],
  ...command,
];

test(
  'the same events in the same order, for a process that ends and one that is killed for its memory',
  async () => {
    const scripts = [
      ['exit 3', [], []],
      ['dd if=/dev/zero of=/dev/null bs=200M', ['--memory-limit', '16777216'], ['/tasks/oom']],
    ] as const;
    for (const [script, flags, more] of scripts) {
      const seen: (readonly Seen[])[] = [];
      for (const runtime of runtimes)
        seen.push(
          await eventsOf('told', '/tasks/exit', async () => {
            await peers.run(run(runtime, 'told', ['--rm', ...flags], ['sh', '-c', script]));
          }),
        );
      const [theirs = [], mine = []] = seen;
      expect(kept(mine).map(({ topic }) => topic)).toEqual(['/tasks/create', '/tasks/start', ...more, '/tasks/exit']);
      expect(withoutOom(kept(mine))).toEqual(withoutOom(kept(theirs)));
    }
  },
  stepMs,
);

test(
  'exec, pause and resume are told alike',
  async () => {
    const seen: (readonly Seen[])[] = [];
    for (const runtime of runtimes)
      seen.push(
        await eventsOf('acts', '/tasks/exit', async () => {
          await peers.output(run(runtime, 'acts', ['-d'], ['sleep', '1000']));
          await peers.run(['ctr', 'tasks', 'exec', '--exec-id', 'e1', 'acts', 'sh', '-c', 'exit 4']);
          await peers.output(['ctr', 'tasks', 'pause', 'acts']);
          await peers.output(['ctr', 'tasks', 'resume', 'acts']);
          await peers.output(['ctr', 'tasks', 'kill', '--signal', 'KILL', 'acts']);
          await until('its end', async () => (await peers.run(['ctr', 'tasks', 'delete', 'acts'])).code !== 1);
          await peers.output(['ctr', 'containers', 'delete', 'acts']);
        }),
      );
    expect(kept(seen[1])).toEqual(kept(seen[0]));
  },
  stepMs,
);

testLogUri(
  () => peers,
  (id, flags, command) => run(ours, id, flags, command),
);

test(
  'ctr shim finds the shim of a container',
  async () => {
    const states: unknown[] = [];
    for (const runtime of runtimes) {
      await peers.output(run(runtime, 'named', ['-d'], ['sleep', '1000']));
      const state = JSON.parse(await peers.output(['ctr', 'shim', '--id', 'named', 'state'])) as Record<string, unknown>;
      const { stdin: _in, stdout: _out, stderr: _err, ...rest } = state;
      states.push({ ...rest, pid: typeof state['pid'] });
      await peers.output(['ctr', 'tasks', 'kill', '--signal', 'KILL', 'named']);
      await until('its end', async () => /named\s+\d+\s+STOPPED/.test(await peers.output(['ctr', 'tasks', 'list'])));
      await peers.run(['ctr', 'tasks', 'delete', 'named']);
      await peers.output(['ctr', 'containers', 'delete', 'named']);
    }
    expect(states[1]).toEqual(states[0]);
    expect(states[1]).toMatchObject({ id: 'named', status: 2, pid: 'number' });
  },
  stepMs,
);

const shimPids = () => peers.world.pids().filter((pid) => peers.world.commandLine(pid).includes('containerd-shim\0'));

test(
  'a shim that is killed: 137 for each of its containers, and nothing of them is left',
  async () => {
    for (const id of ['k1', 'k2']) await peers.output(run(ours, id, ['-d'], ['sleep', '1000']));
    expect(shimPids().length).toBe(1);
    const [pid = 0] = shimPids();
    const seen = await eventsOf('k1', '/tasks/delete', async () => {
      await peers.output(['kill', '-9', String(pid)]);
    });
    expect(seen.map(({ topic, event }) => [topic, event['exit_status']])).toEqual([
      ['/tasks/exit', 137],
      ['/tasks/delete', 137],
    ]);
    await until('no task to be left', async () => (await peers.output(['ctr', 'tasks', 'list', '-q'])) === '');
    for (const id of ['k1', 'k2']) await peers.output(['ctr', 'containers', 'delete', id]);
    expect(peers.world.pids().some((other) => peers.world.commandLine(other).startsWith('sleep\0'))).toBe(false);
  },
  stepMs,
);

test(
  'nothing is left in the kernel, and the shim ends when it has been idle',
  async () => {
    await until('the shim to end', () => peers.world.pids().every((pid) => !peers.world.commandLine(pid).includes('containerd-shim')), 30_000);
    expect(await world.leaks()).toEqual([]);
  },
  stepMs,
);

test(
  'containerd may end and come back: containers run on, with their shim, and their exits are told',
  async () => {
    await peers.output(run(ours, 'stays', ['-d'], ['sh', '-c', 'until test -e /tmp/go; do usleep 10000; done; exit 9']));
    const line = async () => (await peers.output(['ctr', 'tasks', 'list'])).split('\n').find((text) => text.startsWith('stays'));
    const listed = await line();
    await peers.restartContainerd();
    expect(await line()).toBe(listed ?? '');
    await peers.output(['ctr', 'tasks', 'exec', '--exec-id', 'seen', 'stays', 'touch', '/tmp/seen']);
    // Detached: the end of the first process ends it.
    await peers.output(['ctr', 'tasks', 'exec', '-d', '--exec-id', 'go', 'stays', 'touch', '/tmp/go']);
    await until('its exit', async () => /stays\s+\d+\s+STOPPED/.test((await line()) ?? ''));
    const told = await eventsOf('stays', '/tasks/delete', async () => {
      await peers.run(['ctr', 'tasks', 'delete', 'stays']);
    });
    expect(told.at(-1)).toEqual({ topic: '/tasks/delete', event: { container_id: 'stays', exit_status: 9 } });
    await peers.output(['ctr', 'containers', 'delete', 'stays']);
  },
  stepMs,
);
