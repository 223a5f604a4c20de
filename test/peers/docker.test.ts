/**
 * The real docker and containerd with strake-runc as their runtime, beside the same with runc: the table of the Engine's tests as far as it is about
 * containers, and what depends on the runtime alone. What is seen must be equal.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { interactiveSteps } from '../e2e/steps/interactive.ts';
import { lifecycleSteps } from '../e2e/steps/lifecycle.ts';
import { resourceSteps } from '../e2e/steps/resources.ts';
import { runSteps } from '../e2e/steps/run.ts';
import { securitySteps } from '../e2e/steps/security.ts';
import { busybox } from '../e2e/steps/step.ts';
import { storageSteps } from '../e2e/steps/storage.ts';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { Engine } from '../lib/engine.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { playAlike, warm } from '../lib/play.ts';
import { runtimeSteps } from './docker-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 240_000;
const tables = {
  runtime: runtimeSteps,
  run: runSteps,
  lifecycle: lifecycleSteps,
  resources: resourceSteps,
  security: securitySteps,
  interactive: interactiveSteps,
  storage: storageSteps,
};

let engines: readonly Engine[] = [];
const before = new Map<Engine, Snapshot>();

beforeAll(async () => {
  for (const runtime of [undefined, strakeRuncInPeerRoot]) {
    const engine = await Engine.start('docker', runtime === undefined ? {} : { runtime });
    engines = [...engines, engine];
    await warm(engine, busybox);
    before.set(engine, await idleSnapshot(engine.peers));
  }
}, setupMs);

afterAll(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
}, setupMs);

test('the second engine runs strake-runc', async () => {
  expect(await engines[1]?.docker(['info', '--format', '{{.DefaultRuntime}}'])).toMatchObject({ code: 0, stdout: 'strake\n' });
});

for (const [subject, table] of Object.entries(tables))
  describe(subject, () => {
    for (const step of table) test(step.name, () => playAlike(step, engines), stepMs);
  });

test('nothing is left in the kernel', async () => {
  for (const engine of engines) expect(await leaksSince(before.get(engine) as Snapshot, engine.peers)).toEqual([]);
});
