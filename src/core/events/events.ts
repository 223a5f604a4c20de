/**
 * Publish and subscribe. A subscription begins when `subscribe` is called, so that nothing is missed before the first `next`. A subscriber that does not read
 * is cut off after its buffer (16384 events), with a ResourceExhausted error; it never holds back others.
 */
import type { TypedValue } from '../typed-value.ts';

export type EventFields = Readonly<Record<string, unknown>>;

export interface StrakeEvent {
  readonly timestamp: Date;
  readonly namespace: string;
  /** containerd's topics (`/tasks/exit`), or the Engine's (`/engine/container/die`). */
  readonly topic: string;
  /** By the names of the message's fields in lower camel case; empty when it came encoded, of a type that is not known. */
  readonly payload: EventFields;
  /** As it came from another process; what is published here is encoded where it leaves, by its topic (`messageOf`). */
  readonly encoded?: TypedValue;
}

/** Of one namespace. */
export interface EventBus {
  publish(topic: string, payload: EventFields): void;
  /** `topics` select with what is below them: `/tasks` is all of `/tasks/…`. */
  subscribe(options: { readonly topics?: readonly string[]; readonly signal?: AbortSignal }): AsyncIterable<StrakeEvent>;
}

/** Of all namespaces. */
export interface EventExchange {
  in(namespace: string): EventBus;
  /** An event of another publisher, as it is. InvalidArgument when its namespace or topic is none. */
  forward(event: StrakeEvent): void;
  /** Those that any of the filters selects, in containerd's language: `namespace`, `topic`, `event.FIELD` (`event.container_id`, `event.labels.NAME`). */
  subscribe(options: { readonly filters?: readonly string[]; readonly signal?: AbortSignal }): AsyncIterable<StrakeEvent>;
}
