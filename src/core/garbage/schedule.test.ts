import { expect, test } from 'bun:test';
import { createLineLogger, silentLogger } from '../../base/index.ts';
import { GarbageSchedule } from './schedule.ts';

const report = { blobs: [], snapshots: [], freedBytes: 0 };

/** A collection that ends when it is told to. */
function held() {
  const runs: PromiseWithResolvers<void>[] = [];
  let next = Promise.withResolvers<void>();
  return {
    collect: async () => {
      const run = Promise.withResolvers<void>();
      runs.push(run);
      next.resolve();
      await run.promise;
      return report;
    },
    /** The next collection has begun. */
    begun: async () => {
      await next.promise;
      next = Promise.withResolvers();
      return runs.at(-1);
    },
    count: () => runs.length,
  };
}

test('one collection for many removals; another for what was removed meanwhile', async () => {
  const { collect, begun, count } = held();
  await using schedule = new GarbageSchedule({ collect, log: silentLogger, shortestPauseMs: 1 });
  for (let n = 0; n < 10; n++) schedule.removed();
  const first = await begun();
  schedule.removed();
  schedule.removed();
  expect(count()).toBe(1);
  first?.resolve();
  (await begun())?.resolve();
  expect(count()).toBe(2);
});

test('a failure is logged, and the next removal tries again', async () => {
  const lines: string[] = [];
  const log = createLineLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  let calls = 0;
  const twice = Promise.withResolvers<void>();
  await using schedule = new GarbageSchedule({
    collect: async () => {
      calls++;
      if (calls === 2) twice.resolve();
      else schedule.removed();
      throw new Error('no');
    },
    log,
    shortestPauseMs: 1,
  });
  schedule.removed();
  await twice.promise;
  await schedule[Symbol.asyncDispose]();
  expect(lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)).toEqual(['garbage was not collected', 'garbage was not collected']);
});

test('none after its end', async () => {
  const { collect, count } = held();
  const schedule = new GarbageSchedule({ collect, log: silentLogger, shortestPauseMs: 1 });
  schedule.removed();
  await schedule[Symbol.asyncDispose]();
  schedule.removed();
  expect(count()).toBe(0);
});
