/**
 * The real docker CLI against the real dockerd and against ours, step by step: each step checks its effect in the kernel,
 * and what was seen on both must be equal. `STRAKE_E2E_ENGINES=docker` (or `strake`) plays on one of them alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { EngineName } from '../lib/engine.ts';
import { Engine } from '../lib/engine.ts';
import type { Snapshot } from '../lib/leaks.ts';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import { playAlike, warm } from '../lib/play.ts';
import { steps } from './steps/index.ts';
import { busybox } from './steps/step.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 240_000;
const chosen = (process.env['STRAKE_E2E_ENGINES'] ?? 'docker,strake').split(',') as EngineName[];

const engines: Engine[] = [];
const before = new Map<Engine, Snapshot>();

beforeAll(async () => {
  for (const name of chosen) {
    const engine = await Engine.start(name);
    engines.push(engine);
    await warm(engine, busybox);
    before.set(engine, await idleSnapshot(engine.peers));
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
          await playAlike(step, players);
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
