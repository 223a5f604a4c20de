import type { Core, StrakeEvent } from '../../src/core/index.ts';
import { until } from '../lib/until.ts';

/** A subscriber that stays: what it is told of each container. */
export class EventWatch implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #told = new Map<string, string[]>();
  readonly #reading: Promise<void>;

  private constructor(exchange: Core['exchange']) {
    this.#reading = this.#read(exchange.subscribe({ filters: ['topic~=^/tasks/', 'topic==/namespaces/update'], signal: this.#stop.signal }));
  }

  /** Resolves when it hears what is told. */
  static async begin(core: Core, namespace: string): Promise<EventWatch> {
    const watch = new EventWatch(core.exchange);
    await until('events to come', async () => {
      await core.namespaces.mergeLabels(namespace, { watch: String(performance.now()) });
      return watch.#told.has('');
    });
    return watch;
  }

  /** Each task that was made has ended once and was deleted once, as far as somebody was told that it is there; none of its execs ended more often than it began. */
  async settled(id: string): Promise<void> {
    const count = (event: string): number => this.#told.get(id)?.filter((one) => one === event).length ?? 0;
    const wrong = (): string =>
      count('/tasks/delete') !== count('/tasks/create') ||
      count('/tasks/exit') !== count('/tasks/create') ||
      count('/tasks/exec-exit') !== count('/tasks/exec-started')
        ? `the events of ${id}: ${this.#told.get(id)?.join(' ')}`
        : '';
    await until('the events', () => wrong() === '').catch(() => {
      throw new Error(wrong());
    });
    this.#told.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(events: AsyncIterable<StrakeEvent>): Promise<void> {
    for await (const { topic, payload } of events) {
      const id = String(payload['containerId'] ?? '');
      const isExec = topic === '/tasks/exit' && payload['id'] !== id;
      this.#told.set(id, [...(this.#told.get(id) ?? []), isExec ? '/tasks/exec-exit' : topic]);
    }
  }
}
