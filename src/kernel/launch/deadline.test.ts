import { expect, test } from 'bun:test';
import { within } from './deadline.ts';

const never = new Promise<never>(() => undefined);

test('within gives the value, the failure, the deadline or the reason of the abort', async () => {
  expect(await within(Promise.resolve(7), { what: 'it', timeoutMs: 1000 })).toBe(7);
  await expect(within(Promise.reject(new Error('no')), { what: 'it', timeoutMs: 1000 })).rejects.toThrow('no');
  await expect(within(never, { what: 'the answer', timeoutMs: 1 })).rejects.toMatchObject({
    code: 'DeadlineExceeded',
    message: 'the answer did not come within 1 ms',
  });
  await expect(within(never, { what: 'it', timeoutMs: 1000, signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  const controller = new AbortController();
  const waiting = within(never, { what: 'it', timeoutMs: 1000, signal: controller.signal });
  controller.abort(new Error('meanwhile'));
  await expect(waiting).rejects.toThrow('meanwhile');
});
