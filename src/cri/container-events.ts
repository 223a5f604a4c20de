import type { MessageInitShape } from '@bufbuild/protobuf';
import type { criRuntime } from '../api/cri/index.ts';
import { refused } from './refusals.ts';

export type ContainerEvent = MessageInitShape<typeof criRuntime.ContainerEventResponseSchema>;

/** Events that wait for a slow subscriber before it is cut off. */
const maxBuffered = 4096;

/** What happens to pods and containers, told to those who listen at that moment. */
export class ContainerEvents {
  readonly #subscribers = new Set<Subscriber>();

  /** `make` is asked only when somebody listens. */
  publish(make: () => ContainerEvent): void {
    if (this.#subscribers.size === 0) return;
    const event = make();
    for (const subscriber of this.#subscribers) subscriber.offer(event);
  }

  /** From now on, until the signal aborts. ResourceExhausted for who does not read. */
  async *subscribe(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    if (signal.aborted) return;
    const subscriber = new Subscriber();
    const leave = () => subscriber.wake();
    signal.addEventListener('abort', leave, { once: true });
    this.#subscribers.add(subscriber);
    try {
      for (;;) {
        await subscriber.filled();
        yield* subscriber.take();
        if (signal.aborted) return;
      }
    } finally {
      this.#subscribers.delete(subscriber);
      signal.removeEventListener('abort', leave);
    }
  }
}

class Subscriber {
  #queue: ContainerEvent[] = [];
  #isOverrun = false;
  #filled = Promise.withResolvers<void>();

  offer(event: ContainerEvent): void {
    if (this.#queue.length >= maxBuffered) this.#isOverrun = true;
    else this.#queue.push(event);
    this.wake();
  }

  wake(): void {
    this.#filled.resolve();
  }

  async filled(): Promise<void> {
    await this.#filled.promise;
    this.#filled = Promise.withResolvers<void>();
  }

  take(): readonly ContainerEvent[] {
    if (this.#isOverrun) throw refused('ResourceExhausted', `the subscriber did not read: more than ${maxBuffered} events waited`);
    const taken = this.#queue;
    this.#queue = [];
    return taken;
  }
}
