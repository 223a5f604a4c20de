/** Whatever kills a command of the runtime half-way, and whatever runs out under it: `delete --force` takes all of the container away after it. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Bundle } from './lib/bundle.ts';
import { ensureProgram } from './lib/compile.ts';
import { useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();

describe('kill -9 of a process of the runtime, at a random moment', () => {
  const kills = 25;
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
