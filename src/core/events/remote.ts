import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { type Envelope, events } from '../../api/containerd/index.ts';
import { errorMessage, type Logger } from '../../base/index.ts';
import { type GrpcConnection, inNamespace } from '../../rpc/grpc/index.ts';
import { decodeEvent, encodeEvent } from '../wire/event-message.ts';
import { dateOf, toTyped } from '../wire/messages.ts';
import type { EventBus, EventExchange, StrakeEvent } from './events.ts';

/** Events of another process. A subscription begins once that has heard of it, which nothing tells. What cannot be published is logged: who publishes goes on. */
export function createRemoteExchange(connection: GrpcConnection, log: Logger): EventExchange {
  const client = connection.client(events.Events);
  const subscribe = (filters: readonly string[], signal: AbortSignal | undefined) => {
    const left = new AbortController();
    const ended = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
    return new RemoteSubscription(client.subscribe({ filters: [...filters] }, { signal: ended }), left, ended);
  };
  const told = (topic: string) => (error: unknown) => log.warn('an event was not published', { topic, error: errorMessage(error) });
  const bus = (namespace: string): EventBus => {
    const publisher = connection.with(inNamespace(namespace)).client(events.Events);
    return {
      publish(topic, payload) {
        const event = encodeEvent({ topic, payload });
        // Such as the Engine's: nobody there would understand it.
        if (event === undefined) return;
        publisher.publish({ topic, event }).catch(told(topic));
      },
      subscribe({ topics = [''], signal }) {
        const own = `namespace==${JSON.stringify(namespace)}`;
        return subscribe(
          topics.map((topic) => (topic === '' ? own : `${own},topic~=${JSON.stringify(`^${escapeExpression(topic)}(/|$)`)}`)),
          signal,
        );
      },
    };
  };
  return {
    in: bus,
    forward(event) {
      const encoded = encodeEvent(event);
      const { namespace, topic, timestamp } = event;
      if (encoded === undefined) return;
      client.forward({ envelope: { namespace, topic, timestamp: timestampFromDate(timestamp), event: encoded } }).catch(told(topic));
    },
    subscribe: ({ filters = [], signal }) => subscribe(filters, signal),
  };
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[.+*?^$()[\]{}|\\]/g, '\\$&');
}

/** Ends quietly with its signal, or when it is left. */
class RemoteSubscription implements AsyncIterableIterator<StrakeEvent> {
  readonly #envelopes: AsyncIterator<Envelope>;
  readonly #left: AbortController;
  readonly #ended: AbortSignal;
  /** Asked for at once: with it the call begins. */
  #first: Promise<IteratorResult<Envelope>> | undefined;

  constructor(envelopes: AsyncIterable<Envelope>, left: AbortController, ended: AbortSignal) {
    this.#envelopes = envelopes[Symbol.asyncIterator]();
    this.#left = left;
    this.#ended = ended;
    this.#first = this.#envelopes.next();
    this.#first.catch(() => undefined);
  }

  async next(): Promise<IteratorResult<StrakeEvent>> {
    try {
      const next = this.#first ?? this.#envelopes.next();
      this.#first = undefined;
      const { done, value } = await next;
      return done === true ? { done, value: undefined } : { done: false, value: toEvent(value) };
    } catch (error) {
      if (this.#ended.aborted) return { done: true, value: undefined };
      throw error;
    }
  }

  async return(): Promise<IteratorResult<StrakeEvent>> {
    this.#left.abort();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function toEvent({ namespace, topic, timestamp, event }: Envelope): StrakeEvent {
  const common = { namespace, topic, timestamp: dateOf(timestamp) };
  return event === undefined ? { ...common, payload: {} } : { ...common, payload: decodeEvent(event), encoded: toTyped(event) };
}
