import { expect, test } from 'bun:test';
import { isCode } from '../../base/index.ts';
import { rejection } from '../fixtures.ts';
import type { TestedPlace } from '../fixtures-conformance.ts';
import type { EventExchange, StrakeEvent } from './events.ts';

type Events = AsyncIterator<StrakeEvent>;
/** Told again until a subscription of another process has begun. */
const sign = '/containers/delete';
const signIntervalMs = 20;

/** A subscription that has begun. */
async function begun(exchange: EventExchange, subscribed: AsyncIterable<StrakeEvent>, namespace = 'a'): Promise<Events> {
  const events = subscribed[Symbol.asyncIterator]();
  const tell = () => exchange.in(namespace).publish(sign, { id: 'sign' });
  const timer = setInterval(tell, signIntervalMs);
  tell();
  await events.next();
  clearInterval(timer);
  return events;
}

/** The next events, without the signs that are left. */
async function take(events: Events, count: number): Promise<readonly string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const { value } = (await events.next()) as IteratorYieldResult<StrakeEvent>;
    const { namespace, topic, payload } = value;
    if (topic !== sign) taken.push(`${namespace} ${topic} ${payload['containerId'] ?? payload['id']}`);
  }
  return taken;
}

export function eventsConformance(open: () => Promise<{ readonly exchange: EventExchange } & TestedPlace & AsyncDisposable>): void {
  test('a subscriber gets what is published in all namespaces, in order, with its fields', async () => {
    await using place = await open();
    const { exchange } = place;
    const stop = new AbortController();
    const all = await begun(exchange, exchange.subscribe({ signal: stop.signal }));
    const exitedAt = new Date('2030-01-02T03:04:05Z');
    exchange.in('a').publish('/tasks/exit', { containerId: 'c1', id: 'e', pid: 7, exitStatus: 137, exitedAt });
    const exit = await (async () => {
      for (;;) {
        const { value } = (await all.next()) as IteratorYieldResult<StrakeEvent>;
        if (value.topic !== sign) return value;
      }
    })();
    expect([exit.namespace, exit.topic, exit.payload]).toEqual(['a', '/tasks/exit', { containerId: 'c1', id: 'e', pid: 7, exitStatus: 137, exitedAt }]);
    expect(Math.abs(exit.timestamp.getTime() - Date.now())).toBeLessThan(60_000);
    exchange.in('a').publish('/tasks/oom', { containerId: 'c2' });
    expect(await take(all, 1)).toEqual(['a /tasks/oom c2']);
    exchange.in('b').publish('/content/create', { digest: 'd', size: 2 ** 40 });
    const { value } = (await all.next()) as IteratorYieldResult<StrakeEvent>;
    expect([value.namespace, value.payload['size']]).toEqual(['b', 2 ** 40]);
    stop.abort();
    expect((await all.next()).done).toBe(true);
  });

  test('filters select by namespace, topic and fields, any of several', async () => {
    await using place = await open();
    const { exchange } = place;
    const stop = new AbortController();
    const filters = ['namespace==b,topic~=^/tasks/', 'event.container_id==c2', `topic==${JSON.stringify(sign)}`];
    const some = await begun(exchange, exchange.subscribe({ filters, signal: stop.signal }));
    const events = [
      ['a', '/tasks/oom', 'c1'],
      ['b', '/tasks/oom', 'c1'],
      ['b', '/images/delete', 'i'],
      ['a', '/tasks/paused', 'c2'],
      ['a', '/tasks/paused', 'c3'],
      ['b', '/tasks/resumed', 'c3'],
    ] as const;
    for (const [namespace, topic, id] of events) {
      exchange.in(namespace).publish(topic, topic.startsWith('/tasks') ? { containerId: id } : { name: id });
    }
    // Those of one publisher come in its order; two publishers are two.
    expect((await take(some, 3)).toSorted()).toEqual(['a /tasks/paused c2', 'b /tasks/oom c1', 'b /tasks/resumed c3']);
    stop.abort();
  });

  test('the bus of a namespace has its own events, by topics and what is below them', async () => {
    await using place = await open();
    const { exchange } = place;
    const stop = new AbortController();
    const bus = exchange.in('a');
    const tasks = await begun(exchange, bus.subscribe({ topics: ['/tasks', sign], signal: stop.signal }));
    const all = await begun(exchange, bus.subscribe({ signal: stop.signal }));
    exchange.in('b').publish('/tasks/oom', { containerId: 'other' });
    bus.publish('/tasks/oom', { containerId: 'c1' });
    expect(await take(tasks, 1)).toEqual(['a /tasks/oom c1']);
    expect(await take(all, 1)).toEqual(['a /tasks/oom c1']);
    bus.publish('/snapshot/commit', { id: 's', key: 's' });
    bus.publish('/tasks/paused', { containerId: 'c2' });
    expect(await take(tasks, 1)).toEqual(['a /tasks/paused c2']);
    stop.abort();
    expect([(await tasks.next()).done, await Array.fromAsync(bus.subscribe({ signal: stop.signal }))]).toEqual([true, []]);
  });

  test('an event of another publisher is told on as it is', async () => {
    await using place = await open();
    const { exchange } = place;
    const stop = new AbortController();
    const all = await begun(exchange, exchange.subscribe({ signal: stop.signal }));
    const encoded = { typeUrl: 'x.Unknown', value: Buffer.from([1, 2, 3]) };
    exchange.forward({ namespace: 'n', topic: '/x/y', timestamp: new Date('2020-01-02T03:04:05Z'), payload: {}, encoded });
    for (;;) {
      const { value } = (await all.next()) as IteratorYieldResult<StrakeEvent>;
      if (value.topic === sign) continue;
      expect([value.namespace, value.topic, value.timestamp.toISOString(), value.encoded?.typeUrl, [...(value.encoded?.value ?? [])]]).toEqual([
        'n',
        '/x/y',
        '2020-01-02T03:04:05.000Z',
        'x.Unknown',
        [1, 2, 3],
      ]);
      break;
    }
    stop.abort();
  });

  test('a filter that is none is refused', async () => {
    await using place = await open();
    const ask = async () => await Array.fromAsync(place.exchange.subscribe({ filters: ['='] }));
    const refused = await rejection(ask());
    expect(refused).toContain('expected field or quoted');
    if (place.isPeer !== true) expect(isCode(await ask().catch((error: unknown) => error), 'InvalidArgument')).toBe(true);
  });
}
