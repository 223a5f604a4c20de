import { invalid } from './error.ts';

/** The kernel's largest NR_CPUS. */
const maxCpus = 8192;

/** A CPU list (`0-3,7`; cpuset(7)) as the bit mask of sched_setaffinity(2), little endian. */
export function cpuMask(field: string, list: string): Uint8Array {
  const mask = new Uint8Array(maxCpus / 8);
  let used = 0;
  for (const part of list.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || first > last || last >= maxCpus) throw invalid(field, `invalid CPU list ${JSON.stringify(list)}`);
    for (let cpu = first; cpu <= last; cpu += 1) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
    used = Math.max(used, (last >> 3) + 1);
  }
  return mask.subarray(0, Math.ceil(used / 8) * 8);
}
