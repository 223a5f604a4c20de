import type { Logger } from '../../base/index.ts';
import { errorMessage, isCode } from '../../base/index.ts';
import { type Lease, Leases } from '../garbage/leases.ts';
import type { LeaseStore } from '../leases/leases.ts';

export interface RemoteLeasesOptions {
  readonly store: LeaseStore;
  readonly snapshotter: string;
  readonly log: Logger;
}

/** The lease at the other containerd that has all that this process works on; it outlives the process, and is cleared by its next collection. */
export const engineLease = 'strake-engine';

/** What running work needs, told to another containerd too: whoever looks for something waits until what it holds is told (`settled`). */
export class RemoteLeases extends Leases {
  readonly #options: RemoteLeasesOptions;
  readonly #kept = new Set<Lease>();
  #pending: Promise<unknown> = Promise.resolve();

  constructor(options: RemoteLeasesOptions) {
    super();
    this.#options = options;
  }

  static async open(options: RemoteLeasesOptions): Promise<RemoteLeases> {
    try {
      await options.store.create({ id: engineLease });
    } catch (error) {
      if (!isCode(error, 'AlreadyExists')) throw error;
    }
    return new RemoteLeases(options);
  }

  override acquire(kept?: { readonly name: string; readonly forMs: number }): Lease {
    const lease = super.acquire();
    let keep = false;
    return {
      add: (resource) => {
        lease.add(resource);
        this.#tell(resource);
      },
      keep: () => {
        keep = kept !== undefined;
      },
      [Symbol.dispose]: () => {
        if (keep) this.#kept.add(lease);
        else lease[Symbol.dispose]();
      },
    };
  }

  override forget(): void {
    for (const lease of this.#kept) lease[Symbol.dispose]();
    this.#kept.clear();
  }

  async settled(): Promise<void> {
    await this.#pending;
  }

  /** A digest may be of a blob, or of a chain and so the key of a snapshot: nothing is lost by keeping both. */
  #tell(resource: string): void {
    const { store, snapshotter, log } = this.#options;
    const told = Promise.all([
      store.addResource(engineLease, { type: 'content', id: resource }),
      store.addResource(engineLease, { type: `snapshots/${snapshotter}`, id: resource }),
    ]).catch((error: unknown) => log.warn('what is worked on could not be leased', { resource, error: errorMessage(error) }));
    this.#pending = Promise.all([this.#pending, told]);
  }
}
