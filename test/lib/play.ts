import { expect } from 'bun:test';
import type { Step } from '../e2e/steps/step.ts';
import type { Engine } from './engine.ts';
import type { Observation } from './session.ts';
import { Session } from './session.ts';

async function play(step: Step, engine: Engine): Promise<readonly Observation[]> {
  const session = new Session(engine);
  try {
    await step.play(session);
  } finally {
    await session.end();
  }
  return session.seen;
}

/** Plays a step on each engine, in its own world at the same time; what is seen on the second must be what is seen on the first. */
export async function playAlike(step: Step, engines: readonly Engine[]): Promise<void> {
  // All must end before the failure of one is told.
  const outcomes = await Promise.allSettled(engines.map((engine) => play(step, engine)));
  const [first, second] = outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  if (second !== undefined) expect(second).toEqual(first ?? []);
}

/** Playing one container on the default bridge first makes what an engine makes once: its bridge and its rules. */
export async function warm(engine: Engine, image: string): Promise<void> {
  for (const argv of [
    ['pull', '--quiet', image],
    ['run', '--rm', image, 'true'],
  ]) {
    const finished = await engine.docker(argv);
    if (finished.code !== 0) throw new Error(`${engine.name}: docker ${argv.join(' ')}: ${finished.stderr}`);
  }
}
