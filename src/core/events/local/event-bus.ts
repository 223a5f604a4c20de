import { checkIdentifier, StrakeError } from '../../../base/index.ts';
import { type Filter, parseFilters } from '../../filters/index.ts';
import { eventField } from '../event-fields.ts';
import type { EventBus, EventExchange, StrakeEvent } from '../events.ts';
import { checkTopic } from '../topics.ts';

/** Events that wait for a slow subscriber before it is cut off: some megabytes, and more than a burst that a reader can keep up with has. */
const maxBuffered = 16_384;

/** Events inside one process. */
export function createLocalExchange({ now = () => new Date() }: { readonly now?: () => Date } = {}): EventExchange {
  const subscriptions = new Set<Subscription>();
  const send = (event: StrakeEvent) => {
    for (const subscription of subscriptions) subscription.offer(event);
  };
  const subscribe = (isWanted: (event: StrakeEvent) => boolean, signal: AbortSignal | undefined) => {
    const subscription = new Subscription(isWanted, signal, () => subscriptions.delete(subscription));
    if (signal?.aborted !== true) subscriptions.add(subscription);
    return subscription;
  };
  return {
    in: (namespace) => ({
      publish(topic, payload) {
        if (subscriptions.size > 0) send({ timestamp: now(), namespace, topic, payload });
      },
      subscribe: ({ topics, signal }) => subscribe((event) => event.namespace === namespace && isBelow(event.topic, topics), signal),
    }),
    forward(event) {
      checkIdentifier(event.namespace, 'event envelope has invalid namespace');
      checkTopic(event.topic);
      send(event);
    },
    subscribe({ filters = [], signal }) {
      const wanted: Filter = parseFilters(filters);
      return subscribe((event) => wanted(eventField(event)), signal);
    },
  };
}

/** The bus of one namespace alone. */
export function createLocalEventBus({ namespace = 'default', now }: { readonly namespace?: string; readonly now?: () => Date } = {}): EventBus {
  return createLocalExchange(now === undefined ? {} : { now }).in(namespace);
}

function isBelow(topic: string, topics: readonly string[] | undefined): boolean {
  return topics === undefined || topics.some((wanted) => topic === wanted || topic.startsWith(`${wanted}/`));
}

/** One subscriber's queue. Ends quietly when its signal aborts; fails once, after what is buffered, when it was too slow. */
class Subscription implements AsyncIterableIterator<StrakeEvent> {
  readonly #isWanted: (event: StrakeEvent) => boolean;
  readonly #queue: StrakeEvent[] = [];
  readonly #leave: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: PromiseWithResolvers<IteratorResult<StrakeEvent>>[] = [];
  #state: 'open' | 'overrun' | 'ended' = 'open';

  constructor(isWanted: (event: StrakeEvent) => boolean, signal: AbortSignal | undefined, leave: () => void) {
    this.#isWanted = isWanted;
    this.#signal = signal;
    this.#leave = leave;
    if (signal?.aborted === true) this.#state = 'ended';
    else signal?.addEventListener('abort', this.#end, { once: true });
  }

  offer(event: StrakeEvent): void {
    if (!this.#isWanted(event)) return;
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
