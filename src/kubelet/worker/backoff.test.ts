import { expect, test } from 'bun:test';
import { Backoff } from './backoff.ts';

test('the first restart is at once, and the pause before the next ones doubles up to the longest', () => {
  const backoff = new Backoff({ initialMs: 10, maxMs: 35 });
  const pauses: number[] = [];
  let now = 1000;
  for (let attempt = 0; attempt < 5; attempt++) {
    const remaining = backoff.remainingMs('a', now, now);
    pauses.push(remaining);
    backoff.next('a', now, now + remaining);
    now += remaining;
  }
  expect(pauses).toEqual([0, 10, 20, 35, 35]);
  expect(backoff.remainingMs('a', now, now + 30)).toBe(5);
  expect(backoff.remainingMs('b', now, now)).toBe(0);
});

test('what went well for long begins anew, and a clock set back does not lengthen a pause', () => {
  const backoff = new Backoff({ initialMs: 10, maxMs: 40 });
  backoff.next('a', 0, 0);
  expect(backoff.remainingMs('a', 80, 80)).toBe(10);
  expect(backoff.remainingMs('a', 81, 81)).toBe(0);
  expect(backoff.remainingMs('a', 50, -100_000)).toBe(10);
});
