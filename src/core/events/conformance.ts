import { expect, test } from 'bun:test';
import { rejection } from '../fixtures.ts';
import type { EventBus, StrakeEvent } from './events.ts';

const payloads = (events: readonly StrakeEvent[]) => events.map(({ topic, payload }) => `${topic} ${JSON.stringify(payload)}`);

export function eventsConformance(open: () => EventBus): void {
  test('a subscriber gets what is published after it subscribed, by topic, until its signal', async () => {
    const bus = open();
    const stop = new AbortController();
    bus.publish('/tasks/start', { before: true });
    const all = bus.subscribe({ signal: stop.signal });
    const some = bus.subscribe({ topics: ['/tasks'], signal: stop.signal });
    bus.publish('/tasks/exit', { n: 1 });
    bus.publish('/tasksx/exit', { n: 2 });
    const take = async (events: AsyncIterable<StrakeEvent>, count: number) => {
      const taken: StrakeEvent[] = [];
      for await (const event of events) if (taken.push(event) === count) break;
      return payloads(taken);
    };
    expect(await take(all, 2)).toEqual(['/tasks/exit {"n":1}', '/tasksx/exit {"n":2}']);
    expect(await take(some, 1)).toEqual(['/tasks/exit {"n":1}']);
    const waiting = Array.fromAsync(bus.subscribe({ signal: stop.signal }));
    stop.abort();
    expect(await waiting).toEqual([]);
    expect(await Array.fromAsync(bus.subscribe({ signal: stop.signal }))).toEqual([]);
  });

  test('one that does not read is cut off after 1024 events; others are not held back', async () => {
    const bus = open();
    const stop = new AbortController();
    const slow = bus.subscribe({ signal: stop.signal })[Symbol.asyncIterator]();
    const other = bus.subscribe({ signal: stop.signal })[Symbol.asyncIterator]();
    for (let n = 0; n < 1025; n++) {
      bus.publish('/x', { n });
      expect((await other.next()).value?.payload).toEqual({ n });
    }
    for (let n = 0; n < 1024; n++) expect((await slow.next()).value?.payload).toEqual({ n });
    expect(await rejection(slow.next())).toBe('ResourceExhausted: event subscriber did not read: more than 1024 events waited');
    expect((await slow.next()).done).toBe(true);
    stop.abort();
  });
}
