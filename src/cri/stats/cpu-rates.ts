/** Two readings that are nearer to each other say little: the rate before is told again. */
const minIntervalMs = 500;

interface Reading {
  readonly usageNs: bigint;
  /** ms since the epoch */
  readonly at: number;
  readonly rate: bigint | undefined;
}

/** How much of a processor is used at the moment, from one asking to the next: nothing is read in between. */
export class CpuRates {
  readonly #readings = new Map<string, Reading>();

  /** ns of processor time a second; undefined at the first reading. */
  rate(id: string, usageNs: bigint, at: number): bigint | undefined {
    const before = this.#readings.get(id);
    if (before !== undefined && at - before.at < minIntervalMs) return before.rate;
    const rate = before === undefined || usageNs < before.usageNs ? undefined : ((usageNs - before.usageNs) * 1000n) / BigInt(at - before.at);
    this.#readings.set(id, { usageNs, at, rate });
    return rate;
  }

  /** Forgets all others. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#readings.keys()) if (!ids.has(id)) this.#readings.delete(id);
  }
}
