import { expect, test } from 'bun:test';
import type { EventMessage } from '../../api/docker/index.ts';
import { createLocalEventBus } from '../../core/events/local/event-bus.ts';
import { parseFilters } from '../server/query.ts';
import { createEngineEvents, type NewEvent } from './index.ts';

const start = 1_700_000_000n * 1_000_000_000n;

function createEvents() {
  let now = start;
  const events = createEngineEvents(createLocalEventBus(), () => (now += 1_000_000_000n));
  return { events, nowMs: () => Number(now / 1_000_000n) };
}

const die: NewEvent = { type: 'container', action: 'die', id: 'c0ffee', attributes: { image: 'busybox:1.36', name: 'web', exitCode: '137', tier: 'front' } };
const pull: NewEvent = { type: 'image', action: 'pull', id: 'busybox:1.36', attributes: { name: 'busybox' } };
const exec: NewEvent = { type: 'container', action: 'exec_create: sh -c true', id: 'c0ffee', attributes: { image: 'busybox:1.36', name: 'web' } };
const mount: NewEvent = { type: 'volume', action: 'create', id: 'data', attributes: { driver: 'local' } };

async function past(filters: string): Promise<readonly EventMessage[]> {
  const { events, nowMs } = createEvents();
  for (const event of [pull, exec, die, mount]) events.publish(event);
  const window = { untilMs: nowMs() + 0, filter: parseFilters(filters), signal: new AbortController().signal };
  return await Array.fromAsync(events.subscribe(window));
}

test('a message has Docker’s shape', async () => {
  expect(await past('{"event":["die"]}')).toEqual([
    {
      status: 'die',
      id: 'c0ffee',
      from: 'busybox:1.36',
      Type: 'container',
      Action: 'die',
      Actor: { ID: 'c0ffee', Attributes: { image: 'busybox:1.36', name: 'web', exitCode: '137', tier: 'front' } },
      scope: 'local',
      time: 1_700_000_003,
      timeNano: 1_700_000_003_000_000_000,
    },
  ]);
});

test.each([
  ['', ['pull', 'exec_create: sh -c true', 'die', 'create']],
  ['{"event":["exec_create"]}', ['exec_create: sh -c true']],
  ['{"event":["die","pull"]}', ['pull', 'die']],
  ['{"type":{"volume":true}}', ['create']],
  ['{"container":["web"]}', ['exec_create: sh -c true', 'die']],
  ['{"container":["c0f"]}', ['exec_create: sh -c true', 'die']],
  ['{"container":["data"]}', []],
  ['{"volume":["data"]}', ['create']],
  ['{"image":["busybox"]}', ['pull', 'exec_create: sh -c true', 'die']],
  ['{"image":["busybox:1.36"],"event":["die"]}', ['die']],
  ['{"label":["tier=front"]}', ['die']],
  ['{"label":["tier=back"]}', []],
])('filters %s', async (filters, actions) => {
  expect((await past(filters)).map(({ Action }) => Action)).toEqual(actions);
});

test('since tells the past and goes on with what is new, without a gap', async () => {
  const { events, nowMs } = createEvents();
  events.publish(pull);
  events.publish(die);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { Action } of events.subscribe({ sinceMs: nowMs(), filter: parseFilters(''), signal: stop.signal })) {
    seen.push(Action);
    expect(events.listeners).toBe(1);
    if (seen.length === 1) {
      events.publish(mount);
      events.publish(exec);
    }
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual(['die', 'create', 'exec_create: sh -c true']);
  expect(events.listeners).toBe(0);
});

test('history is bounded', async () => {
  const { events, nowMs } = createEvents();
  for (let n = 0; n < 300; n++) events.publish({ ...mount, id: String(n) });
  const all = await Array.fromAsync(events.subscribe({ untilMs: nowMs(), filter: parseFilters(''), signal: new AbortController().signal }));
  expect([all.length, all[0]?.Actor.ID]).toEqual([256, '44']);
});
