import { expect, test } from 'bun:test';
import { keepMoving } from './keep-moving.ts';

/** Gives the values, and then waits for ever unless it ends. */
async function* source(values: readonly number[], ends: boolean): AsyncGenerator<number> {
  yield* values;
  if (!ends) await new Promise<never>(() => undefined);
}

test('what moves is passed on', async () => {
  let letGo = 0;
  expect(await Array.fromAsync(keepMoving(source([1, 2, 3], true), () => letGo++, 10_000))).toEqual([1, 2, 3]);
  expect(letGo).toBe(0);
});

test('a silent source is left', async () => {
  let letGo = 0;
  const seen: number[] = [];
  const read = (async () => {
    for await (const value of keepMoving(source([1], false), () => letGo++, 20)) seen.push(value);
  })();
  await expect(read).rejects.toMatchObject({ code: 'DeadlineExceeded', message: 'no data came for 0.02 seconds' });
  expect([seen, letGo]).toEqual([[1], 1]);
});

test('a reader that takes nothing loses what it holds, and is told when it comes again', async () => {
  const gone = Promise.withResolvers<void>();
  const reader = keepMoving(source([1, 2], true), () => gone.resolve(), 20);
  expect(await reader.next()).toEqual({ done: false, value: 1 });
  await gone.promise;
  await expect(reader.next()).rejects.toMatchObject({ code: 'DeadlineExceeded', message: 'nobody took the data for 0.02 seconds' });
});
