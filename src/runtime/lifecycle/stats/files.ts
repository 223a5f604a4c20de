import { readdirSync, readFileSync } from 'node:fs';

/** A control file of one cgroup; empty when its controller is off, the kernel does not have it, or the cgroup is gone. */
export type ReadControl = (file: string) => string;

export function readerOf(dir: string | undefined): ReadControl {
  return (file) => {
    if (dir === undefined) return '';
    try {
      return readFileSync(`${dir}/${file}`, 'latin1').trim();
    } catch (error) {
      if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
      throw error;
    }
  };
}

const unlimited = 2n ** 64n - 1n;

/** `max` is 2^64-1, as runc has it; a missing file and a negative number 0. */
export function parseCount(text: string): bigint {
  if (text === 'max') return unlimited;
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

/** Lines `name number`. */
export function parseKeyed(text: string): ReadonlyMap<string, bigint> {
  return new Map([...text.matchAll(/^(\S+) (\d+)$/gm)].map(([, name = '', value = '']) => [name, BigInt(value)]));
}

/** A JSON object without the fields that are zero or empty, which Go's omitempty leaves out. */
export function withoutZeros(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown) => value === 0n || value === 0 || value === '' || value === undefined || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

/** One of runc's memory entries: a limit and a use, in bytes. */
export function memoryEntry(limit: bigint, usage: bigint, max: bigint, failures: bigint): Record<string, unknown> {
  return { limit, ...withoutZeros({ usage, max }), failcnt: failures };
}

/** Whether an entry says anything: Go's omitzero. */
export function unlessZero(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  return Object.values(entry).every((value) => value === 0n) ? undefined : entry;
}

/** The sizes of huge pages, as control files have them: `2MB` (mm/hugetlb_cgroup.c). */
export function hugePageSizes(): readonly string[] {
  try {
    return readdirSync('/sys/kernel/mm/hugepages').flatMap((name) => {
      const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
      if (kilobytes === 0) return [];
      return [kilobytes >= 2 ** 20 ? `${kilobytes / 2 ** 20}GB` : kilobytes >= 2 ** 10 ? `${kilobytes / 2 ** 10}MB` : `${kilobytes}KB`];
    });
  } catch {
    // A kernel without them.
    return [];
  }
}
