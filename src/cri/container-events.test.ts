import { expect, test } from 'bun:test';
import { type ContainerEvent, ContainerEvents } from './container-events.ts';

const event = (containerId: string): ContainerEvent => ({ containerId });
const ids = async (events: AsyncIterable<ContainerEvent>) => (await Array.fromAsync(events)).map(({ containerId }) => containerId);

test('whoever listens hears all in their order, until it leaves; nothing is made for nobody', async () => {
  const events = new ContainerEvents();
  events.publish(() => {
    throw new Error('nobody listens');
  });
  const leave = new AbortController();
  const heard = ids(events.subscribe(leave.signal));
  for (const id of ['a', 'b', 'c']) events.publish(() => event(id));
  leave.abort();
  expect(await heard).toEqual(['a', 'b', 'c']);
  events.publish(() => {
    throw new Error('nobody listens any more');
  });
});

test('whoever does not read is cut off, and holds nobody back', async () => {
  const events = new ContainerEvents();
  const [slow, quick] = [new AbortController(), new AbortController()];
  const stalled = events.subscribe(slow.signal);
  const first = stalled.next();
  const heard = ids(events.subscribe(quick.signal));
  events.publish(() => event('first'));
  expect((await first).value).toEqual(event('first'));
  for (let count = 0; count < 5000; count++) {
    events.publish(() => event(String(count)));
    // The other one reads meanwhile.
    if (count % 1000 === 0) await Promise.resolve().then(() => new Promise((resolve) => setImmediate(resolve)));
  }
  expect(await stalled.next().then(String, String)).toContain('the subscriber did not read');
  quick.abort();
  expect((await heard).length).toBe(5001);
});

test('a signal that is aborted already ends it at once', async () => {
  expect(await ids(new ContainerEvents().subscribe(AbortSignal.abort()))).toEqual([]);
});
