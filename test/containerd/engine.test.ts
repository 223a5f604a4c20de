/** The docker CLI on our engine, and that on a containerd, the real one with its shim and runc, or our own: the steps that the engine plays in process. */
import { afterAll, beforeAll, describe, test } from 'bun:test';
import { steps } from '../e2e/steps/index.ts';
import { busybox } from '../e2e/steps/step.ts';
import { Engine } from '../lib/engine.ts';
import { playAlike, warm } from '../lib/play.ts';

const setupMs = 600_000;
const stepMs = 60_000;
/** What the engine does not do with another containerd, and why. */
const notThere: Readonly<Record<string, string>> = {
  '--init reaps and forwards': 'the reaper is our runtime’s own; for others it would have to be a file in the container',
};

for (const whose of ['theirs', 'ours'] as const)
  describe(`on ${whose}`, () => {
    let engine: Engine;

    beforeAll(async () => {
      engine = await Engine.startOnContainerd(whose);
      await warm(engine, busybox);
    }, setupMs);

    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
    }, setupMs);

    for (const [subject, table] of Object.entries(steps))
      describe(subject, () => {
        for (const step of table)
          if (step.notYet === undefined && !Object.hasOwn(notThere, step.name)) test(step.name, async () => await playAlike(step, [engine]), stepMs);
      });
  });
