import { hugePageSizes, memoryEntry, parseCount, parseKeyed, type ReadControl, readerOf, unlessZero, withoutZeros } from './files.ts';
import { pidsStats } from './v1.ts';

const unlimited = 2n ** 64n - 1n;

/** The fields of runc's statistics out of a v2 cgroup, under v1's names. */
export function v2Stats(dir: string | undefined): Record<string, unknown> {
  const read = readerOf(dir);
  return {
    cpu: cpuStats(read),
    cpuset: noCpuset,
    memory: memoryStats(read),
    pids: pidsStats(read),
    blkio: ioStats(read),
    hugetlb: hugetlbStats(read),
  };
}

/** v2 has none of it; runc prints what is not left out when empty. */
const noCpuset = {
  cpu_exclusive: 0,
  mem_hardwall: 0,
  mem_exclusive: 0,
  memory_migrate: 0,
  memory_spread_page: 0,
  memory_spread_slab: 0,
  memory_pressure: 0,
  sched_load_balance: 0,
  sched_relax_domain_level: 0,
};

/** In ns. */
function cpuStats(read: ReadControl): Record<string, unknown> {
  const stat = parseKeyed(read('cpu.stat'));
  const ns = (name: string) => (stat.get(name) ?? 0n) * 1000n;
  const throttling = withoutZeros({ periods: stat.get('nr_periods'), throttledPeriods: stat.get('nr_throttled'), throttledTime: ns('throttled_usec') });
  return withoutZeros({
    usage: { ...withoutZeros({ total: ns('usage_usec') }), kernel: ns('system_usec'), user: ns('user_usec') },
    throttling: Object.keys(throttling).length === 0 ? undefined : throttling,
    psi: parsePressure(read('cpu.pressure')),
  });
}

/** v1 counts swap together with memory, and so does runc; the greatest use of both is not known. */
function memoryStats(read: ReadControl): Record<string, unknown> {
  const stat = parseKeyed(read('memory.stat'));
  const [usage, limit] = [parseCount(read('memory.current')), parseCount(read('memory.max'))];
  const swapLimit = parseCount(read('memory.swap.max'));
  const swap = memoryEntry(swapLimit === unlimited ? swapLimit : swapLimit + limit, parseCount(read('memory.swap.current')) + usage, 0n, 0n);
  return withoutZeros({
    cache: stat.get('file'),
    usage: unlessZero(memoryEntry(limit, usage, parseCount(read('memory.peak')), 0n)),
    swap: unlessZero(swap),
    raw: Object.fromEntries(stat),
    psi: parsePressure(read('memory.pressure')),
  });
}

/** Documentation/accounting/psi.rst; undefined where the kernel does not count it. */
export function parsePressure(text: string): Record<string, unknown> | undefined {
  const lines = [...text.matchAll(/^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/gm)];
  if (lines.length === 0) return undefined;
  return Object.fromEntries(
    lines.map(([, kind = '', avg10, avg60, avg300, total = '0']) => [
      kind,
      { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: BigInt(total) },
    ]),
  );
}

function ioStats(read: ReadControl): Record<string, unknown> {
  const lines = [...read('io.stat').matchAll(/^(\d+):(\d+) (.*)$/gm)];
  const entries = (fields: Readonly<Record<string, string>>) =>
    lines.flatMap(([, major, minor, values = '']) =>
      [...values.matchAll(/(\S+)=(\d+)/g)].flatMap(([, name = '', value = '0']) => {
        const op = fields[name];
        return op === undefined ? [] : [withoutZeros({ major: Number(major), minor: Number(minor), op, value: BigInt(value) })];
      }),
    );
  return withoutZeros({
    ioServiceBytesRecursive: entries({ rbytes: 'Read', wbytes: 'Write' }),
    ioServicedRecursive: entries({ rios: 'Read', wios: 'Write' }),
    psi: parsePressure(read('io.pressure')),
  });
}

function hugetlbStats(read: ReadControl): Record<string, unknown> {
  return Object.fromEntries(
    hugePageSizes().flatMap((size) => {
      const usage = read(`hugetlb.${size}.rsvd.current`) || read(`hugetlb.${size}.current`);
      if (usage === '') return [];
      const failures = parseKeyed(read(`hugetlb.${size}.events`)).get('max') ?? 0n;
      return [[size, { ...withoutZeros({ usage: parseCount(usage) }), failcnt: failures }]];
    }),
  );
}
