/** The real ctr on `strake containerd`, beside the real containerd: tasks in process, and by other OCI runtimes under our monitors. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../fixtures/registry.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import { seenOver } from './client.ts';
import { ctrSteps, image, overRuntime } from './ctr-steps.ts';
import { stepMs, testLogUri } from './ctr-tests.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const socket = '/run/strake/containerd.sock';
const ctr = ['ctr', '--address', socket];
const theirShim = '/usr/bin/containerd-shim-runc-v2';
const daemons = [['ctr'], ctr];

/** Of `strake chain --json`. */
interface Link {
  readonly seam: string;
  readonly implementation: string;
  readonly pid?: number;
  readonly sockets: readonly string[];
}

let peers: PeerWorld;
let ours: Running;
let before: Snapshot;

async function startOurs(): Promise<Running> {
  const daemon = peers.spawn(['/strake/strake', 'containerd', '--root', join(peers.world.work, 'strake'), '--log-level', 'warn', '--ready-fd', '1']);
  await daemon.output(/^ready$/m);
  return daemon;
}

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  await peers.startContainerd();
  ours = await startOurs();
  for (const daemon of daemons) {
    await peers.output([...daemon, 'images', 'pull', '--plain-http', image]);
    await peers.output([...daemon, 'run', '--rm', image, 'warm', 'true']);
  }
  before = await idleSnapshot(peers);
}, setupMs);

afterAll(async () => {
  await ours.stop();
  await peers[Symbol.asyncDispose]();
}, setupMs);

const everyStep = ctrSteps(() => peers);

describe.each([
  ['io.containerd.runc.v2', everyStep],
  ['/usr/sbin/runc', everyStep],
  // This crun wants a library for checkpoints that the peer root has not.
  ['/usr/bin/crun', everyStep.filter(({ name }) => !name.startsWith('checkpoint'))],
  // The shims are tested by themselves: that they are driven is seen by one step.
  [theirShim, everyStep.slice(0, 1)],
  ['/strake/containerd-shim-strake-v2', everyStep.slice(0, 1)],
] as const)('over our containerd as over the real one, by %s', (runtime, steps) => {
  for (const { name, play } of steps)
    test(
      name,
      async () => {
        const seen = [];
        for (const command of daemons) seen.push(await seenOver({ name, play }, { place: peers, runtime, command, work: peers.world.work }));
        expect(seen[1]).toEqual(seen[0] ?? []);
      },
      stepMs,
    );
});

testLogUri(
  () => peers,
  (id, flags, command) => [...ctr, 'run', ...flags, image, id, ...command],
);

test(
  'plugins inspect-runtime says what a runtime can do, ours or another',
  async () => {
    const inspect = async (command: readonly string[], ...flags: readonly string[]) =>
      JSON.parse(await peers.output([...command, 'plugins', 'inspect-runtime', ...flags])) as Record<string, { readonly ociVersionMin?: string }>;
    const [theirs, ours] = [await inspect(['ctr'], '--runc-binary', '/usr/sbin/runc'), await inspect(ctr, '--runc-binary', '/usr/sbin/runc')];
    expect({ ...ours, Name: '', Version: '' }).toEqual({ ...theirs, Name: '', Version: '' } as never);
    expect((await inspect(ctr))['Features']?.ociVersionMin).toBe('1.0.0');
    expect((await inspect(ctr, '--runtime', theirShim))['Features']).toEqual(theirs['Features']);
  },
  stepMs,
);

/** A process by the start of its command line. */
const processes = (words: string) => peers.world.pids().filter((pid) => peers.world.commandLine(pid).startsWith(words));

test.each(['io.containerd.runc.v2', '/strake/containerd-shim-strake-v2'])(
  'ctr sandboxes: run, list, rm; a sandbox is no task, and outlives the daemon, by %s',
  async (runtime) => {
    const config = join(peers.world.work, 'sandbox.json');
    writeFileSync(
      config,
      JSON.stringify({ ociVersion: '1.1.0', hostname: 'held', process: { args: ['nothing'], cwd: '/' }, root: { path: 'rootfs' }, linux: {} }),
    );
    const run = async () => await peers.run([...ctr, 'sandboxes', 'run', '--runtime', runtime, config, 'held']);
    expect(await run()).toMatchObject({ code: 0, stdout: 'held\n' });
    expect(await run()).toMatchObject({ code: 1, stderr: 'ctr: failed to create new sandbox: sandbox "held": already exists\n' });
    const [pid = 0] = processes('/pause\0');
    expect(await peers.world.output(['nsenter', '--target', String(pid), '--uts', 'uname', '-n'])).toBe('held\n');
    expect(await peers.output([...ctr, 'tasks', 'list', '--quiet'])).toBe('');
    process.kill(ours.innerPid, 'SIGKILL');
    await ours.finished;
    ours = await startOurs();
    expect(processes('/pause\0')).toEqual([pid]);
    expect((await peers.output([...ctr, 'sandboxes', 'list'])).split('\n')[1]).toMatch(new RegExp(`^held .* ${runtime} *$`));
    expect((await peers.run([...ctr, 'sandboxes', 'rm', 'held'])).stderr).toContain('deleted: held');
    expect(processes('/pause\0')).toEqual([]);
    expect((await peers.output([...ctr, 'sandboxes', 'list'])).trim().split('\n')).toHaveLength(1);
  },
  stepMs,
);

test(
  'a sandbox whose shim knows none is refused, and nothing of it is left',
  async () => {
    const config = join(peers.world.work, 'sandbox.json');
    const { code, stderr } = await peers.run([...ctr, 'sandboxes', 'run', '--runtime', theirShim, config, 'none']);
    expect([code, stderr.includes('failed to create sandbox none: ')]).toEqual([1, true]);
    expect((await peers.run([...ctr, 'sandboxes', 'rm', 'none'])).stderr).toContain('deleted: none');
    await until('its shim to end', () => processes(theirShim).length === 0);
  },
  stepMs,
);

test.each([
  ['ours in process', ctr, 'io.containerd.runc.v2', ['containerd', 'runtime', 'zygote', 'monitor', 'process']],
  ['ours by a shim', ctr, theirShim, ['containerd', 'runtime', 'shim', 'process']],
  ['the real one', ['ctr'], 'io.containerd.runc.v2', ['containerd', 'runtime', 'shim', 'process']],
] as const)(
  'strake chain, of %s',
  async (_, command, runtime, seams) => {
    await peers.output([...command, 'run', '--runtime', runtime, '-d', image, 'chained', 'sleep', '1000']);
    try {
      const address = command.at(2) ?? peers.containerdSocket;
      const links = JSON.parse(await peers.output(['/strake/strake', 'chain', '--json', '--containerd', address, 'chained'])) as Link[];
      expect(links.map(({ seam }) => seam)).toEqual([...seams]);
      expect(links[0]).toMatchObject({ sockets: [address] });
      expect(peers.world.commandLine(links[0]?.pid ?? 0)).toContain('containerd');
      expect(links[1]?.implementation).toBe(runtime);
      // Who holds the process is its parent, and listens where its daemon finds it.
      const [holder, process] = links.slice(-2);
      expect(holder?.sockets.length).toBe(1);
      expect(peers.world.status(process?.pid ?? 0, 'PPid')).toBe(String(holder?.pid));
      expect(process).toMatchObject({ implementation: 'sleep 1000', sockets: [] });
    } finally {
      await peers.run([...command, 'tasks', 'kill', '--signal', 'KILL', 'chained']);
      await until('chained to be removed', async () => {
        await peers.run([...command, 'tasks', 'delete', '--force', 'chained']);
        await peers.run([...command, 'containers', 'delete', 'chained']);
        return (await peers.run([...command, 'containers', 'info', 'chained'])).code !== 0;
      });
    }
  },
  stepMs,
);

test('nothing is left in the kernel', async () => {
  await until('our shims to end', () => peers.world.pids().every((pid) => !peers.world.commandLine(pid).includes('containerd-shim')), 30_000);
  // Ours is another process than before: it was killed under its sandboxes.
  const restarted = /^process (gained|lost): \d+ \/strake\/(strake containerd --root|strake-init zygote)/;
  expect((await leaksSince(before, peers)).filter((line) => !restarted.test(line))).toEqual([]);
});

test.each(['io.containerd.runc.v2', '/usr/bin/crun', theirShim, '/strake/containerd-shim-strake-v2'])(
  'the daemon is killed and comes back: tasks run on, exec’d processes and exits are found again, by %s',
  async (runtime) => {
    const run = (id: string, script: string) => peers.output([...ctr, 'run', ...overRuntime(runtime), '-d', image, id, 'sh', '-c', script]);
    await run('runs', 'until test -e /tmp/go; do usleep 10000; done; exit 9');
    await run('ends', 'until test -e /tmp/go; do usleep 10000; done; exit 8');
    await peers.output([...ctr, 'tasks', 'exec', '-d', '--exec-id', 'e1', 'runs', 'sleep', '1000']);
    const tasks = async () => (await peers.output([...ctr, 'tasks', 'list'])).trim().split('\n').slice(1).toSorted();
    const processes = async () => /^.*exec_id.*$/m.exec(await peers.output([...ctr, 'tasks', 'ps', 'runs']))?.[0];
    const [listed, seen] = [await tasks(), await processes()];
    const go = Number(/^ends\s+(\d+)/m.exec(listed.join('\n'))?.[1]);
    const pid = peers.world.pids().find((one) => /strake\0containerd\0--root/.test(peers.world.commandLine(one)));
    await peers.output(['kill', '-KILL', String(pid)]);
    await ours.finished;
    // One of them ends while nobody looks.
    writeFileSync(peers.path(`/proc/${go}/root/tmp/go`), '');
    await until('its end', () => !peers.world.alive(go));
    ours = await startOurs();
    expect(await processes()).toBe(seen);
    expect((await tasks()).map((line) => line.split(/\s+/).join(' '))).toEqual([
      listed
        .find((line) => line.startsWith('ends'))
        ?.replace('RUNNING', 'STOPPED')
        .split(/\s+/)
        .join(' ') ?? '',
      listed
        .find((line) => line.startsWith('runs'))
        ?.split(/\s+/)
        .join(' ') ?? '',
    ]);
    await peers.output([...ctr, 'tasks', 'kill', '--exec-id', 'e1', '--signal', 'KILL', 'runs']);
    await peers.output([...ctr, 'tasks', 'exec', '--exec-id', 'e2', 'runs', 'touch', '/tmp/seen']);
    // Detached: the end of the first process ends it.
    await peers.output([...ctr, 'tasks', 'exec', '-d', '--exec-id', 'e3', 'runs', 'touch', '/tmp/go']);
    await until('the end of the other', async () => (await tasks()).every((line) => line.includes('STOPPED')));
    for (const [id, code] of [
      ['runs', 9],
      ['ends', 8],
    ] as const) {
      const events = peers.spawn([...ctr, 'events']);
      await until('events to come', async () => {
        await peers.run([...ctr, 'namespaces', 'label', 'default', `probe=${Date.now()}`]);
        return events.stdout !== '';
      });
      await peers.run([...ctr, 'tasks', 'delete', id]);
      await events.output(new RegExp(`/tasks/delete .*"container_id":"${id}".*"exit_status":${code},`));
      await events.stop();
      await peers.output([...ctr, 'containers', 'delete', id]);
    }
    expect(await peers.output([...ctr, 'tasks', 'list', '--quiet'])).toBe('');
  },
  stepMs,
);
