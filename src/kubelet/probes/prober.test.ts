import { expect, test } from 'bun:test';
import type { ProbeAnswer } from './check.ts';
import { Prober } from './prober.ts';

/** What a prober says while its checks answer these, one after the other: s, f and u. */
async function results(answers: string, thresholds: { successThreshold?: number; failureThreshold?: number }): Promise<string> {
  const kinds: Readonly<Record<string, ProbeAnswer['result']>> = { s: 'success', f: 'failure', u: 'unknown' };
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  let said = '';
  using _prober = new Prober({
    probe: { periodSeconds: 0, ...thresholds },
    startedAtMs: 0,
    check: async () => {
      const result = kinds[answers[asked++] ?? ''];
      if (result === undefined) resolve();
      return { result: result ?? 'unknown', message: '' };
    },
    onResult: (passed) => {
      said += `${asked}${passed ? '+' : '-'} `;
    },
  });
  await promise;
  return said.trim();
}

test.each([
  ['s', {}, '1+'],
  ['ssss', {}, '1+'],
  ['fff', {}, '3-'],
  ['ffsff', {}, '3+'],
  ['ffuf', {}, '4-'],
  ['fsfsf', { failureThreshold: 1 }, '1- 2+ 3- 4+ 5-'],
  ['fffss', { successThreshold: 2 }, '3- 5+'],
])('%s with %j: %s', async (answers, thresholds, expected) => {
  expect(await results(answers, thresholds)).toBe(expected);
});

test('a prober that is stopped asks no more, and says nothing of what was under way', async () => {
  const asked = Promise.withResolvers<AbortSignal>();
  const answer = Promise.withResolvers<ProbeAnswer>();
  let said = 0;
  const prober = new Prober({
    probe: { periodSeconds: 0 },
    startedAtMs: 0,
    check: async (signal) => {
      asked.resolve(signal);
      return await answer.promise;
    },
    onResult: () => {
      said += 1;
    },
  });
  const signal = await asked.promise;
  prober[Symbol.dispose]();
  answer.resolve({ result: 'success', message: '' });
  await answer.promise;
  expect([signal.aborted, said]).toEqual([true, 0]);
});
