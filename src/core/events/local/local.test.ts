import { describe, expect, test } from 'bun:test';
import { rejection } from '../../fixtures.ts';
import { eventsConformance } from '../conformance.ts';
import { createLocalEventBus, createLocalExchange } from './event-bus.ts';

describe('local events', () => {
  eventsConformance(async () => ({ exchange: createLocalExchange(), [Symbol.asyncDispose]: async () => undefined }));

  test('a subscription begins when it is made: nothing before, all after', async () => {
    const bus = createLocalEventBus();
    bus.publish('/x', { n: 0 });
    const events = bus.subscribe({})[Symbol.asyncIterator]();
    bus.publish('/x', { n: 1 });
    expect((await events.next()).value?.payload).toEqual({ n: 1 });
    await events.return?.();
  });

  test('one that does not read is cut off after 16384 events; others are not held back', async () => {
    const bus = createLocalEventBus();
    const stop = new AbortController();
    const slow = bus.subscribe({ signal: stop.signal })[Symbol.asyncIterator]();
    const other = bus.subscribe({ signal: stop.signal })[Symbol.asyncIterator]();
    for (let n = 0; n < 16_385; n++) {
      bus.publish('/x', { n });
      expect((await other.next()).value?.payload).toEqual({ n });
    }
    for (let n = 0; n < 16_384; n++) expect((await slow.next()).value?.payload).toEqual({ n });
    expect(await rejection(slow.next())).toBe('ResourceExhausted: event subscriber did not read: more than 16384 events waited');
    expect((await slow.next()).done).toBe(true);
    stop.abort();
  });

  for (const [topic, problem] of [
    ['tasks', 'topic "tasks" is not valid: it begins with a slash'],
    ['', 'topic "" is not valid: it begins with a slash'],
    ['/', 'failed validation on component "": identifier must not be empty'],
    ['/a/', 'failed validation on component "": identifier must not be empty'],
    ['/a b', 'failed validation on component "a b": identifier "a b" must match ^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$'],
  ] as const)
    test(`${JSON.stringify(topic)} is no topic`, () => {
      const event = { namespace: 'n', topic, timestamp: new Date(), payload: {} };
      expect(() => createLocalExchange().forward(event)).toThrow(problem);
    });
});
