import { expect, test } from 'bun:test';
import { OomKills } from './oom-kills.ts';

test('each is told once, also those before anybody listened', () => {
  const kills = new OomKills();
  expect(kills.any).toBe(false);
  kills.note();
  kills.note();
  expect(kills.any).toBe(true);
  let told = 0;
  kills.listen(() => told++);
  expect(told).toBe(2);
  kills.note();
  expect(told).toBe(3);
});
