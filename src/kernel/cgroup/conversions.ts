import { StrakeError } from '../../base/index.ts';
import type { Int64 } from '../../oci/index.ts';

/**
 * cgroup v1 cpu.shares (2–262144, default 1024) as v2 cpu.weight (1–10000, default 100): runc's formula since 1.3.2, a quadratic in log2
 * that maps the three fixed points to 1, 100 and 10000. 0 (unset) stays 0.
 */
export function cpuWeightOfShares(shares: Int64): number {
  const value = Number(shares);
  if (value === 0) return 0;
  if (value <= 2) return 1;
  if (value >= 262144) return 10000;
  const log = Math.log2(value);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** What the kernel would quietly move into its range is refused, in runc's words. Units of cpu.shares. */
export function checkCpuShares(shares: Int64): Int64 {
  const refuse = (what: string) => new StrakeError('InvalidArgument', `the ${what}`, { fields: { layer: 'kernel' } });
  if (shares < 2) throw refuse('minimum allowed cpu-shares is 2');
  if (shares > 262144) throw refuse('maximum allowed cpu-shares is 262144');
  return shares;
}

/** blkio.weight (10–1000) as io.weight (1–10000), linear. 0 (unset) stays 0. */
export function ioWeightOfBlkioWeight(weight: number): number {
  return weight === 0 ? 0 : 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/**
 * The v2 swap limit for OCI's "memory plus swap" limit: undefined for unset, -1 for unlimited. An unlimited memory with no swap limit makes
 * swap unlimited, as v1 did.
 */
export function v2SwapLimit(memory: Int64 | undefined, swap: Int64 | undefined): bigint | undefined {
  const limit = BigInt(memory ?? 0);
  const total = BigInt(swap ?? 0);
  if (total === 0n) return limit === -1n ? -1n : undefined;
  if (total === -1n) return -1n;
  if (limit === -1n) return total;
  const invalid = (why: string) => new StrakeError('InvalidArgument', why, { fields: { layer: 'kernel' } });
  if (limit === 0n) throw invalid('unable to set swap limit without memory limit');
  if (limit < 0n) throw invalid(`invalid memory limit ${limit}`);
  if (total < limit) throw invalid('memory+swap limit should be >= memory limit');
  return total - limit;
}

/** -1 is v2's `max`. */
export function v2Limit(value: Int64): string {
  return BigInt(value) === -1n ? 'max' : String(value);
}

/** pids.max: 0 is written as 1 (systemd cannot say 0, and the effect is the same), a negative limit is `max`. */
export function pidsMax(limit: Int64): string {
  if (limit > 0) return String(limit);
  return BigInt(limit) === 0n ? '1' : 'max';
}
