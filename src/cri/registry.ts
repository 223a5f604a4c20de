import type { Container } from './containers/container.ts';
import type { Pod } from './pods/pod.ts';
import { refused } from './refusals.ts';

/** The pods and containers that there are, and the names that are taken. */
export class PodRegistry {
  readonly pods = new ObjectTable<Pod>('sandbox');
  readonly containers = new ObjectTable<Container>('container');

  containersOf(podId: string): readonly Container[] {
    return this.containers.list().filter((container) => container.podId === podId);
  }
}

interface Named {
  readonly id: string;
  /** As the pod says it: a second try of the same must not run beside the first. */
  readonly name: string;
}

export class ObjectTable<T extends Named> {
  readonly #what: string;
  readonly #byId = new Map<string, T>();
  readonly #names = new Map<string, string>();

  constructor(what: string) {
    this.#what = what;
  }

  /** The name is taken until it is disposed of, or for good by `add`. AlreadyExists. */
  reserve(name: string, id: string): Disposable {
    const holder = this.#names.get(name);
    if (holder !== undefined && holder !== id)
      throw refused(
        'AlreadyExists',
        `failed to reserve ${this.#what} name ${JSON.stringify(name)}: name ${JSON.stringify(name)} is reserved for ${JSON.stringify(holder)}`,
        {
          [this.#what]: id,
        },
      );
    this.#names.set(name, id);
    return {
      [Symbol.dispose]: () => {
        if (!this.#byId.has(id) && this.#names.get(name) === id) this.#names.delete(name);
      },
    };
  }

  add(object: T): void {
    this.#byId.set(object.id, object);
    this.#names.set(object.name, object.id);
  }

  remove({ id, name }: T): void {
    this.#byId.delete(id);
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** By an id, or a beginning that is only one's. NotFound. */
  get(reference: string): T {
    const found = this.find(reference);
    if (found === undefined) throw refused('NotFound', `${this.#what} ${JSON.stringify(reference)}: not found`, { [this.#what]: reference });
    return found;
  }

  find(reference: string): T | undefined {
    const exact = this.#byId.get(reference);
    if (exact !== undefined || reference === '') return exact;
    const matches = [...this.#byId.keys()].filter((id) => id.startsWith(reference));
    return matches.length === 1 ? this.#byId.get(matches[0] ?? '') : undefined;
  }

  list(): readonly T[] {
    return [...this.#byId.values()];
  }
}
