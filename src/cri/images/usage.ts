import { isCode } from '../../base/index.ts';
import type { Snapshotter, SnapshotUsage } from '../../core/index.ts';

/** Files are counted: for so long a figure is good enough, as the kubelet asks every ten seconds. */
const maxAgeMs = 10_000;

export interface CountedUsage extends SnapshotUsage {
  /** When it was counted; ms since the epoch. */
  readonly at: number;
}

/** What snapshots hold. A committed one is counted once; one that is written again when its figure is old. */
export class SnapshotUsages {
  readonly #snapshots: Pick<Snapshotter, 'usage' | 'walk'>;
  readonly #now: () => number;
  readonly #counted = new Map<string, { readonly usage: Promise<CountedUsage>; readonly final: boolean; readonly at: number }>();

  constructor(snapshots: Pick<Snapshotter, 'usage' | 'walk'>, now: () => number = Date.now) {
    this.#snapshots = snapshots;
    this.#now = now;
  }

  /** Of a container's layer. NotFound when there is none. */
  async of(key: string): Promise<CountedUsage> {
    return await this.#usage(key, false);
  }

  /** Of all snapshots together; `at` is the oldest of their figures. */
  async total(): Promise<CountedUsage> {
    let total: CountedUsage = { sizeBytes: 0, inodes: 0, at: this.#now() };
    const seen = new Set<string>();
    for await (const { key, kind } of this.#snapshots.walk()) {
      seen.add(key);
      const usage = await this.#usage(key, kind !== 'active').catch((error: unknown) => {
        // It went while the others were counted, or is damaged.
        if (isCode(error, 'NotFound') || isCode(error, 'DataLoss')) return undefined;
        throw error;
      });
      if (usage === undefined) continue;
      const at = kind === 'active' ? Math.min(total.at, usage.at) : total.at;
      total = { sizeBytes: total.sizeBytes + usage.sizeBytes, inodes: total.inodes + usage.inodes, at };
    }
    for (const key of this.#counted.keys()) if (!seen.has(key)) this.#counted.delete(key);
    return total;
  }

  async #usage(key: string, final: boolean): Promise<CountedUsage> {
    const at = this.#now();
    const known = this.#counted.get(key);
    if (known !== undefined && (known.final || at - known.at < maxAgeMs)) return await known.usage;
    const usage = this.#snapshots.usage(key).then(({ sizeBytes, inodes }) => ({ sizeBytes, inodes, at }));
    const entry = { usage, final, at };
    this.#counted.set(key, entry);
    usage.catch(() => {
      if (this.#counted.get(key) === entry) this.#counted.delete(key);
    });
    return await usage;
  }
}
