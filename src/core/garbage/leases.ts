/** What running work needs although nothing stored names it yet: digests and snapshot keys. In memory, as the work itself. */
export class Leases {
  readonly #held = new Map<string, number>();

  /** A lease; add a resource before looking whether it is there. */
  acquire(): Lease {
    const own = new Set<string>();
    return {
      add: (resource) => {
        if (own.has(resource)) return;
        own.add(resource);
        this.#held.set(resource, (this.#held.get(resource) ?? 0) + 1);
      },
      [Symbol.dispose]: () => {
        for (const resource of own) {
          const count = (this.#held.get(resource) ?? 1) - 1;
          if (count === 0) this.#held.delete(resource);
          else this.#held.set(resource, count);
        }
        own.clear();
      },
    };
  }

  holds(resource: string): boolean {
    return this.#held.has(resource);
  }
}

export interface Lease extends Disposable {
  add(resource: string): void;
}
