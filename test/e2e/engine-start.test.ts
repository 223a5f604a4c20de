/** Our command line where no engine runs. */
import { expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { strakeBinary } from '../lib/engine.ts';
import { until } from '../lib/until.ts';
import { World } from '../lib/world.ts';

const stepMs = 120_000;

test(
  'the first commands start one, once, and it stays',
  async () => {
    await using world = await World.start();
    // The default places, made the world's own.
    for (const place of ['run', 'var/lib']) {
      const own = join(world.work, place);
      mkdirSync(own, { recursive: true });
      await world.output(['mount', '--bind', own, `/${place}`]);
    }
    const env = { STRAKE_HOST: '', DOCKER_HOST: '' };
    const first = await Promise.all(
      ['one', 'two', 'three'].map(async (name) => await world.run([strakeBinary, 'run', '--rm', '--name', name, 'hello'], { env })),
    );
    for (const finished of first) expect(finished).toMatchObject({ code: 0, stderr: '' });
    const daemons = (): number[] => world.pids().filter((pid) => world.commandLine(pid).includes('\0daemon\0'));
    expect(daemons()).toHaveLength(1);
    const [daemon] = daemons();
    expect((await world.run([strakeBinary, 'ps', '-aq'], { env })).stdout).toBe('');
    expect(daemons()).toEqual([daemon as number]);
    await world.output(['kill', String(daemon)]);
    await until('the daemon has gone', () => daemons().length === 0);
    expect((await world.run([strakeBinary, 'run', '--rm', 'hello'], { env })).code).toBe(0);
  },
  stepMs,
);
