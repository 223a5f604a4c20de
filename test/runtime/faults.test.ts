/** Whatever kills a command of the runtime half-way, and whatever runs out under it: `delete --force` takes all of the container away after it. */
import { describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureProgram } from '../lib/compile.ts';
import { strakeDist } from '../lib/dist.ts';
import { slowness } from '../lib/slowness.ts';
import type { Bundle } from './lib/bundle.ts';
import { useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

describe('kill -9 of a process of the runtime, at a random moment', () => {
  const kills = slowness > 1 ? 3 : 25;
  const timeoutMs = 240_000;
  /** Longer than any command. */
  const neverMs = 60_000;

  async function killAfter(ms: number, args: readonly string[]): Promise<string> {
    const program = ensureProgram(join(import.meta.dirname, 'lib/kill-after.c'));
    const choice = Math.floor(Math.random() * 1000);
    const argv = [program, String(Math.round(ms * 1000)), String(choice), ...runtime.current.argv(args)];
    return (await runtime.current.world.output(argv)).trim();
  }

  /** How long a command took that was faster than the kill. */
  const endedMs = (happened: string) => Number(/^ended (\d+)$/.exec(happened)?.[1] ?? Number.POSITIVE_INFINITY) / 1000;

  /** The command on each of many containers, killed once; then everything of the container has to go. */
  async function killOften(prepare: () => Promise<string>, command: (id: string) => readonly string[]): Promise<void> {
    const measured = await prepare();
    let longestMs = endedMs(await killAfter(neverMs, command(measured)));
    await runtime.current.runtime(['delete', '--force', measured]);
    let killed = 0;
    for (let round = 0; killed < kills && round < 4 * kills; round++) {
      const id = await prepare();
      const ms = Math.random() * longestMs;
      const happened = await killAfter(ms, command(id));
      longestMs = Math.min(longestMs, endedMs(happened));
      killed += happened.startsWith('killed') ? 1 : 0;
      const story = `${happened} after ${ms.toFixed(3)} ms`;
      expect([story, await runtime.current.runtime(['delete', '--force', id])]).toMatchObject([story, { code: 0, stdout: '', stderr: '' }]);
      expect([story, await runtime.current.leaks()]).toEqual([story, []]);
    }
    expect(killed).toBe(kills);
  }

  let names = 0;
  const newId = () => `fault-${names++}`;
  let shared: Bundle | undefined;
  const bundle = () => (shared ??= runtime.current.bundle());
  const running = async () => (await runtime.current.running(bundle())).id;

  test(
    'create',
    async () =>
      await killOften(
        async () => newId(),
        (id) => ['create', '--bundle', bundle().dir, id],
      ),
    timeoutMs,
  );

  test(
    'run --detach',
    async () =>
      await killOften(
        async () => newId(),
        (id) => ['run', '--detach', '--bundle', bundle().dir, id],
      ),
    timeoutMs,
  );

  test(
    'start',
    async () =>
      await killOften(
        async () => (await runtime.current.create(bundle())).id,
        (id) => ['start', id],
      ),
    timeoutMs,
  );

  test('exec', async () => await killOften(running, (id) => ['exec', id, 'true']), timeoutMs);

  test('exec --detach', async () => await killOften(running, (id) => ['exec', '--detach', id, 'sleep', '1000']), timeoutMs);

  test('delete', async () => await killOften(running, (id) => ['delete', '--force', id]), timeoutMs);
});

describe('what runs out', () => {
  /** A tmpfs of the world; `--root` is a directory in it. */
  async function withRoot(options: string, use: (root: string) => Promise<void>): Promise<void> {
    const { world } = runtime.current;
    const mountpoint = mkdtempSync(join(world.work, 'tmpfs-'));
    await world.output(['mount', '-t', 'tmpfs', '-o', options, 'none', mountpoint]);
    try {
      await use(join(mountpoint, 'state'));
    } finally {
      await world.output(['umount', mountpoint]);
    }
  }

  /** `strake-runc VERB …` with its messages in a file, so that what it leaves running holds no pipe of ours. */
  async function runc(root: string, ...args: string[]): Promise<{ readonly code: number; readonly message: string }> {
    const log = join(runtime.current.world.work, 'faults.log');
    rmSync(log, { force: true });
    const argv = [join(strakeDist, 'strake-runc'), '--root', root, '--log', log, '--log-format', 'json', ...args];
    const { code } = await runtime.current.world.run(['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh', ...argv], { timeoutMs: 20_000 });
    const line = existsSync(log) ? (readFileSync(log, 'utf8').split('\n')[0] ?? '') : '';
    return { code, message: line === '' ? '' : (JSON.parse(line) as { readonly msg: string }).msg };
  }

  const remedy = '(--root names another place for the state of containers)';

  test('space for the state: create says where, and leaves nothing', async () => {
    const bundle = runtime.current.bundle();
    const outcomes = new Set<string>();
    for (let kib = 4; kib <= 60; kib += 4) {
      await withRoot(`size=${kib}k`, async (root) => {
        const { code, message } = await runc(root, 'create', '--bundle', bundle.dir, 'full');
        if (code === 0) {
          outcomes.add('created');
          expect(await runc(root, 'delete', '--force', 'full')).toEqual({ code: 0, message: '' });
        } else {
          const [, file] = /^runc create failed: (?:mkdir|write) (\S+): no space left on device (.*)$/.exec(message) ?? [];
          outcomes.add(file?.slice(root.length) ?? message);
          expect(message).toEndWith(remedy);
        }
        expect([kib, existsSync(root) ? readdirSync(root) : []]).toEqual([kib, []]);
      });
      expect([kib, await runtime.current.leaks()]).toEqual([kib, []]);
    }
    expect([...outcomes]).toEqual(['/full/state.json.new', '/full/delete.program', '/full/delete-force.program', 'created']);
  });

  test('a read-only place for the state', async () => {
    const bundle = runtime.current.bundle();
    await withRoot('ro', async (root) => {
      for (const verb of ['create', 'run'])
        expect(await runc(root, verb, '--bundle', bundle.dir, 'readonly')).toEqual({
          code: 1,
          message: `runc ${verb} failed: mkdir ${root}/readonly: read-only file system ${remedy}`,
        });
    });
  });

  test('descriptors: an error, or none, and nothing is left', async () => {
    const bundle = runtime.current.bundle();
    let enough = 0;
    for (let limit = 3; limit < 24; limit++) {
      const id = `descriptors${limit}`;
      const log = join(bundle.dir, 'log');
      const script = 'exec >/dev/null 2>"$0" && ulimit -Sn "$1" && shift && exec "$@"';
      const argv = runtime.current.argv(['run', '--bundle', bundle.dir, '--detach', id]);
      const { code } = await runtime.current.world.run(['sh', '-c', script, log, String(limit), ...argv], { timeoutMs: 20_000 });
      if (code === 0) enough += 1;
      else expect([limit, readFileSync(log, 'utf8')]).toEqual([limit, expect.stringMatching(/[tT]oo many open files/)]);
      expect(await runtime.current.runtime(['delete', '--force', id])).toMatchObject({ code: 0, stderr: '' });
      expect([limit, await runtime.current.leaks()]).toEqual([limit, []]);
    }
    expect(enough).toBeGreaterThan(0);
    expect(enough).toBeLessThan(20);
  });
});
