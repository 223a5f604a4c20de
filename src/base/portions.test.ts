import { expect, test } from 'bun:test';
import { inTurns, portions } from './portions.ts';

test.each([
  [[], []],
  [[1, 2], [[1, 2]]],
  [
    [1, 2, 3],
    [[1, 2], [3]],
  ],
])('portions of two: %j', (items, expected) => expect([...portions<number>(items, 2)]).toEqual(expected));

test('in turns: the order is kept, and no more are worked on than said', async () => {
  let [working, most] = [0, 0];
  const work = async (item: number) => {
    most = Math.max(most, ++working);
    await Promise.resolve();
    working -= 1;
    return item * 10;
  };
  expect(await Array.fromAsync(inTurns([1, 2, 3, 4, 5], 2, work))).toEqual([10, 20, 30, 40, 50]);
  expect(most).toBe(2);
});
