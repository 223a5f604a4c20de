import { expect, test } from 'bun:test';
import { Slots } from './slots.ts';

test('slots are given in order, and not to who gave up', async () => {
  const slots = new Slots(1);
  const first = await slots.take();
  const gone = new AbortController();
  const order: string[] = [];
  const left = slots.take(gone.signal).catch((error: Error) => error.message);
  const second = slots.take().then((slot) => {
    order.push('second');
    return slot;
  });
  const third = slots.take().then(() => order.push('third'));
  gone.abort(new Error('no'));
  expect([await left, order, slots.full]).toEqual(['no', [], true]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  await third;
  expect(order).toEqual(['second', 'third']);
});
