import { StrakeError } from '../../../base/index.ts';
import type { EventBus, StrakeEvent } from '../events.ts';

/** Events that wait for a slow subscriber before it is cut off. */
const maxBuffered = 1024;

export interface EventBusOptions {
  readonly namespace?: string;
  readonly now?: () => Date;
}

/** Events inside one process. A subscription begins when `subscribe` is called, so that nothing is missed before the first `next`. */
export function createLocalEventBus({ namespace = 'default', now = () => new Date() }: EventBusOptions = {}): EventBus {
  const subscriptions = new Set<Subscription>();
  return {
    publish(topic, payload) {
      const event: StrakeEvent = { timestamp: now(), namespace, topic, payload };
      for (const subscription of subscriptions) subscription.offer(event);
    },
    subscribe({ topics, signal }) {
      const subscription = new Subscription(topics, signal, () => subscriptions.delete(subscription));
      if (signal?.aborted !== true) subscriptions.add(subscription);
      return subscription;
    },
  };
}

/** One subscriber's queue. Ends quietly when its signal aborts; fails once, after what is buffered, when it was too slow. */
class Subscription implements AsyncIterableIterator<StrakeEvent> {
  readonly #topics: readonly string[] | undefined;
  readonly #queue: StrakeEvent[] = [];
  readonly #leave: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: PromiseWithResolvers<IteratorResult<StrakeEvent>>[] = [];
  #state: 'open' | 'overrun' | 'ended' = 'open';

  constructor(topics: readonly string[] | undefined, signal: AbortSignal | undefined, leave: () => void) {
    this.#topics = topics;
    this.#signal = signal;
    this.#leave = leave;
    if (signal?.aborted === true) this.#state = 'ended';
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  offer(event: StrakeEvent): void {
    if (this.#topics !== undefined && !this.#topics.some((topic) => event.topic === topic || event.topic.startsWith(`${topic}/`))) return;
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ done: false, value: event });
    else if (this.#queue.length < maxBuffered) this.#queue.push(event);
    else this.#close('overrun');
  }

  async next(): Promise<IteratorResult<StrakeEvent>> {
    const event = this.#queue.shift();
    if (event !== undefined) return { done: false, value: event };
    if (this.#state === 'overrun') {
      this.#state = 'ended';
      throw new StrakeError('ResourceExhausted', `event subscriber did not read: more than ${maxBuffered} events waited`, { fields: { layer: 'core' } });
    }
    if (this.#state === 'ended') return { done: true, value: undefined };
    const waiting = Promise.withResolvers<IteratorResult<StrakeEvent>>();
    this.#waiting.push(waiting);
    return await waiting.promise;
  }

  async return(): Promise<IteratorResult<StrakeEvent>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #end = (): void => this.#close('ended');

  #close(state: 'overrun' | 'ended'): void {
    if (this.#state === 'ended') return;
    this.#state = state;
    if (state === 'ended') this.#queue.length = 0;
    this.#signal?.removeEventListener('abort', this.#end);
    this.#leave();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ done: true, value: undefined });
  }
}
