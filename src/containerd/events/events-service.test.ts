import { expect, test } from 'bun:test';
import { silentLogger } from '../../base/index.ts';
import type { StrakeEvent } from '../../core/index.ts';
import { openRemoteCore } from '../../core/remote/index.ts';
import { startTestServer, type TestServer } from '../fixtures-server.ts';

const told = 40_000;
const atOnce = 500;
/** What the exchange keeps of a subscriber that does not read, and what may be on its connection: a window of HTTP/2 and the sockets' buffers, some thousands of small messages. */
const mostKept = 2 * 16_384;

type Events = AsyncIterator<StrakeEvent>;

/** A subscription, by a connection of its own, that has begun. */
async function subscribe(server: TestServer): Promise<Events> {
  const core = openRemoteCore({ connection: server.in('a'), log: silentLogger });
  const events = core.exchange.subscribe({ filters: ['topic==/tasks/oom'] })[Symbol.asyncIterator]();
  const first = events.next();
  const timer = setInterval(() => publish(server, 'sign'), 5);
  await first;
  clearInterval(timer);
  return events;
}

function publish(server: TestServer, containerId: string): void {
  server.core.exchange.in('a').publish('/tasks/oom', { containerId });
}

/** The number of the next event, without the signs that are left. */
async function number(events: Events): Promise<number> {
  for (;;) {
    const { value } = (await events.next()) as IteratorYieldResult<StrakeEvent>;
    if (value.payload['containerId'] !== 'sign') return Number(value.payload['containerId']);
  }
}

test('who stays and reads gets each event once, in order, beside one that does not read; that one is cut off, with a bounded number kept for it', async () => {
  await using server = await startTestServer();
  const stalled = await subscribe(server);
  const reader = await subscribe(server);
  for (let next = 0; next < told; next += atOnce) {
    for (let index = next; index < next + atOnce; index++) publish(server, String(index));
    for (let index = next; index < next + atOnce; index++) expect(await number(reader)).toBe(index);
  }
  let kept = 0;
  const error = await (async () => {
    for (; ; kept++) expect(await number(stalled)).toBe(kept);
  })().catch((failure: unknown) => String(failure));
  expect(error).toContain('event subscriber did not read');
  expect(kept).toBeGreaterThan(0);
  expect(kept).toBeLessThan(mostKept);
  await reader.return?.();
});
