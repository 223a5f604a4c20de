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

  /**
   * Each task that was made has ended once and was deleted once; each exec that was started has ended once. `isCreationTold`: a shim that is killed may take along that it has just made
   * a task, and started an exec; how these ended is told all the same.
   */
  async settled(id: string, { isCreationTold }: { readonly isCreationTold: boolean }): Promise<void> {
    const count = (event: string): number => this.#told.get(id)?.filter((one) => one === event).length ?? 0;
    const fits = (begins: number, ends: number): boolean => (isCreationTold ? begins === ends : begins <= ends);
    const isRight = (): boolean =>
      count('/tasks/exit') === count('/tasks/delete') &&
      fits(count('/tasks/create'), count('/tasks/delete')) &&
      fits(count('/tasks/exec-started'), count('/tasks/exec-exit'));
    await until('the events', isRight).catch(() => {
      throw new Error(`the events of ${id}: ${this.#told.get(id)?.join(' ')}`);
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
