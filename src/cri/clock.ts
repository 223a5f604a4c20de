const offset = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

/** Nanoseconds since the epoch, as the interface has its times. What follows within a millisecond keeps its order. */
export function nowNs(): bigint {
  const measured = offset + process.hrtime.bigint();
  const wall = BigInt(Date.now()) * 1_000_000n;
  // The wall clock may be set; the other one may not.
  return measured - wall > 2_000_000n || wall - measured > 2_000_000n ? wall : measured;
}

export function nsOf(date: Date): bigint {
  return BigInt(date.getTime()) * 1_000_000n;
}
