import { invalid } from './error.ts';

/** The kernel's largest NR_CPUS. */
const maxCpus = 8192;

/** A CPU list (`0-3,7`; cpuset(7)) as the bit mask of sched_setaffinity(2), little endian. */
export function cpuMask(field: string, list: string): Uint8Array {
  const mask = numberMask(list, maxCpus);
  if (mask === undefined) throw invalid(field, `invalid CPU list ${JSON.stringify(list)}`);
  return mask;
}

/** A list of numbers below `limit` and of ranges as a bit mask, little endian, in whole words of 64 bits; undefined when it is none. */
export function numberMask(list: string, limit: number): Uint8Array | undefined {
  const mask = new Uint8Array(limit / 8);
  let used = 0;
  for (const part of list.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || first > last || last >= limit) return undefined;
    for (let number = first; number <= last; number += 1) mask[number >> 3] = (mask[number >> 3] ?? 0) | (1 << (number & 7));
    used = Math.max(used, (last >> 3) + 1);
  }
  return mask.subarray(0, Math.ceil(used / 8) * 8);
}
