import type { LocalScope } from '../local-scope.ts';

/** What running work needs although nothing stored names it yet: digests and snapshot keys. In memory, as the work itself. */
export class Leases {
  readonly #held = new Map<string, number>();
  readonly #kept: KeptLeases | undefined;

  /** With a place for those that outlive the work, else every lease ends with it. */
  constructor(kept?: KeptLeases) {
    this.#kept = kept;
  }

  /**
   * A lease; add a resource before looking whether it is there. One that is kept, by a name of the work, stays when the process dies or `keep` was
   * called, so that the next try finds what this one had; the last holder of the name that ends without `keep` takes it away.
   */
  acquire(kept?: { readonly name: string; readonly forMs: number }): Lease {
    const own = new Set<string>();
    const record = kept === undefined ? undefined : this.#kept?.open(kept.name, kept.forMs);
    let keep = false;
    let ended = false;
    return {
      add: (resource) => {
        if (ended || own.has(resource)) return;
        own.add(resource);
        this.#held.set(resource, (this.#held.get(resource) ?? 0) + 1);
        record?.add(resource);
      },
      keep: () => {
        keep = true;
      },
      [Symbol.dispose]: () => {
        if (ended) return;
        ended = true;
        for (const resource of own) {
          const count = (this.#held.get(resource) ?? 1) - 1;
          if (count === 0) this.#held.delete(resource);
          else this.#held.set(resource, count);
        }
        own.clear();
        record?.close(keep);
      },
    };
  }

  holds(resource: string): boolean {
    return this.#held.has(resource);
  }

  held(): Iterable<string> {
    return this.#held.keys();
  }

  /** Ends kept leases that no running work has: what interrupted work left is not gone on with. */
  forget(): void {
    this.#kept?.forget();
  }
}

export interface Lease extends Disposable {
  add(resource: string): void;
  /** The work was interrupted: what it has is kept for its next try. */
  keep(): void;
}

/** The lease ids of kept work begin so. */
const prefix = 'work ';

/** Leases of work in the metadata database, by the work's name. */
export class KeptLeases {
  readonly #scope: Pick<LocalScope, 'db' | 'namespace' | 'now' | 'enter'>;
  readonly #holders = new Map<string, number>();

  constructor(scope: Pick<LocalScope, 'db' | 'namespace' | 'now' | 'enter'>) {
    this.#scope = scope;
  }

  open(name: string, forMs: number): { readonly add: (resource: string) => void; readonly close: (keep: boolean) => void } {
    const id = `${prefix}${name}`;
    const { db, namespace, now, enter } = this.#scope;
    const at = now().getTime();
    const labels = JSON.stringify({ 'containerd.io/gc.expire': new Date(at + forMs).toISOString() });
    enter();
    db.run(
      'insert into leases (namespace, id, labels, created) values (?, ?, ?, ?) on conflict (namespace, id) do update set labels = excluded.labels',
      namespace,
      id,
      labels,
      at,
    );
    this.#holders.set(id, (this.#holders.get(id) ?? 0) + 1);
    return {
      add: (resource) => this.#add(id, resource),
      close: (keep) => {
        const left = (this.#holders.get(id) ?? 1) - 1;
        if (left > 0) this.#holders.set(id, left);
        else this.#holders.delete(id);
        if (left === 0 && !keep) db.run('delete from leases where namespace = ? and id = ?', namespace, id);
      },
    };
  }

  forget(): void {
    const { db, namespace } = this.#scope;
    for (const row of db.all('select id from leases where namespace = ? and id like ?', namespace, `${prefix}%`))
      if (!this.#holders.has(row['id'] as string)) db.run('delete from leases where namespace = ? and id = ?', namespace, row['id'] as string);
  }

  /** A digest may be of a blob, or of a chain and so the key of a snapshot: nothing is lost by keeping both. */
  #add(id: string, resource: string): void {
    const { db, namespace } = this.#scope;
    for (const type of ['content', 'snapshots/*'])
      db.run(
        `insert or ignore into lease_resources (namespace, lease, type, resource)
         select namespace, id, ?, ? from leases where namespace = ? and id = ?`,
        type,
        resource,
        namespace,
        id,
      );
  }
}
