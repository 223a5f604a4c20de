/**
 * The real docker CLI against the real dockerd and against ours, step by step: each step checks its effect in the kernel,
 * and what was seen on both must be equal. `STRAKE_E2E_ENGINES=docker` (or `strake`) plays on one of them alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EngineName } from '../lib/engine.ts';
import { Engine } from '../lib/engine.ts';
import type { Snapshot } from '../lib/leaks.ts';
import { leaksSince, snapshot } from '../lib/leaks.ts';
import type { Observation } from '../lib/session.ts';
import { Session } from '../lib/session.ts';
import { steps } from './steps/index.ts';
import type { Step } from './steps/step.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 240_000;
const chosen = (process.env['STRAKE_E2E_ENGINES'] ?? 'docker,strake').split(',') as EngineName[];

const engines: Engine[] = [];
const before = new Map<Engine, Snapshot>();

/** Playing one container on the default bridge first makes what an engine makes once: its bridge and its rules. */
async function warm(engine: Engine): Promise<void> {
  for (const argv of [
    ['pull', '--quiet', busybox],
    ['run', '--rm', busybox, 'true'],
  ]) {
    const finished = await engine.docker(argv);
    if (finished.code !== 0) throw new Error(`${engine.name}: docker ${argv.join(' ')}: ${finished.stderr}`);
  }
}

async function play(step: Step, engine: Engine): Promise<readonly Observation[]> {
  const session = new Session(engine);
  try {
    await step.play(session);
  } finally {
    await session.end();
  }
  return session.seen;
}

beforeAll(async () => {
  for (const name of chosen) {
    const engine = await Engine.start(name);
    engines.push(engine);
    await warm(engine);
    before.set(engine, await snapshot(engine.peers));
  }
}, setupMs);

afterAll(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
}, setupMs);

for (const [subject, table] of Object.entries(steps)) {
  describe(subject, () => {
    for (const step of table) {
      test(
        step.name,
        async () => {
          const players = engines.filter((engine) => engine.name !== 'strake' || step.notYet === undefined);
          // Each in its own world, at the same time; both must end before either's failure is told.
          const outcomes = await Promise.allSettled(players.map((engine) => play(step, engine)));
          const seen = outcomes.map((outcome) => {
            if (outcome.status === 'rejected') throw outcome.reason;
            return outcome.value;
          });
          const [first, second] = seen;
          if (second !== undefined) expect(second).toEqual(first as readonly Observation[]);
        },
        stepMs,
      );
    }
  });
}

describe('afterwards', () => {
  test('nothing is left in the kernel', async () => {
    for (const engine of engines) {
      expect(await leaksSince(before.get(engine) as Snapshot, engine.peers), engine.name).toEqual([]);
    }
  });
});
