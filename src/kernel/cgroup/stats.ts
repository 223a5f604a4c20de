import { readFile } from 'node:fs/promises';
import { type CgroupDirectories, v1DirectoryOf } from './directories.ts';
import type { CgroupLayout } from './layout.ts';

/** What a cgroup has used. Times in ns. */
export interface CgroupStats {
  readonly readAt: Date;
  readonly cpu: {
    readonly usageNs: bigint;
    readonly userNs: bigint;
    readonly kernelNs: bigint;
    /** empty on v2 */
    readonly perCpuNs: readonly bigint[];
    readonly throttlePeriods: bigint;
    readonly throttledPeriods: bigint;
    readonly throttledNs: bigint;
  };
  readonly memory: {
    readonly usageBytes: bigint;
    readonly maxUsageBytes: bigint;
    /** 2^64-1: unlimited on v2; v1 says the greatest multiple of the page size below 2^63 */
    readonly limitBytes: bigint;
    readonly failCount: bigint;
    /** undefined where the kernel does not count it */
    readonly swapBytes: bigint | undefined;
    readonly kernelBytes: bigint | undefined;
    /** processes that the kernel killed for want of memory */
    readonly oomKills: bigint;
    /** memory.stat, raw names */
    readonly stat: Readonly<Record<string, bigint>>;
  };
  /** Time that was lost to waiting; empty on v1, and where the kernel does not count it. */
  readonly pressure: Readonly<Partial<Record<'cpu' | 'memory' | 'io', Pressure>>>;
  readonly pids: { readonly current: bigint; readonly limit: bigint | undefined };
  readonly blkio: readonly { readonly major: number; readonly minor: number; readonly op: string; readonly bytes: bigint; readonly ios: bigint }[];
}

/** What of the time some, or all, processes waited (Documentation/accounting/psi.rst). */
export interface Pressure {
  readonly some: Stall;
  readonly full: Stall;
}

export interface Stall {
  readonly totalNs: bigint;
  /** per cent, over the last 10, 60 and 300 seconds */
  readonly averages: readonly [ten: number, sixty: number, threeHundred: number];
}

const unlimited = 2n ** 64n - 1n;

/** Reads the statistics of a live cgroup. A file that is missing (its controller is off, or the cgroup is gone) counts as zero. */
export async function readCgroupStats(layout: CgroupLayout, directories: CgroupDirectories, now: () => Date = () => new Date()): Promise<CgroupStats> {
  return layout.kind === 'v2' ? readV2(directories.v2 ?? '', now) : readV1(directories, now);
}

async function readV1(directories: CgroupDirectories, now: () => Date): Promise<CgroupStats> {
  const read = (controller: string, file: string) => {
    const dir = v1DirectoryOf(directories, controller);
    return dir === undefined ? Promise.resolve('') : readControl(`${dir}/${file}`);
  };
  const [usage, user, system, perCpu, cpuStat, memory, maxMemory, limit, failures, memoryStat, withSwap, kernel, oom, pids, pidsLimit, bytes, ios] =
    await Promise.all([
      read('cpuacct', 'cpuacct.usage'),
      read('cpuacct', 'cpuacct.usage_user'),
      read('cpuacct', 'cpuacct.usage_sys'),
      read('cpuacct', 'cpuacct.usage_percpu'),
      read('cpu', 'cpu.stat'),
      read('memory', 'memory.usage_in_bytes'),
      read('memory', 'memory.max_usage_in_bytes'),
      read('memory', 'memory.limit_in_bytes'),
      read('memory', 'memory.failcnt'),
      read('memory', 'memory.stat'),
      read('memory', 'memory.memsw.usage_in_bytes'),
      read('memory', 'memory.kmem.usage_in_bytes'),
      read('memory', 'memory.oom_control'),
      read('pids', 'pids.current'),
      read('pids', 'pids.max'),
      read('blkio', 'blkio.throttle.io_service_bytes_recursive'),
      read('blkio', 'blkio.throttle.io_serviced_recursive'),
    ]);
  const throttle = parseFlatKeyed(cpuStat);
  return {
    readAt: now(),
    cpu: {
      usageNs: parseNumber(usage),
      userNs: parseNumber(user),
      kernelNs: parseNumber(system),
      perCpuNs: perCpu.split(/\s+/).filter(Boolean).map(BigInt),
      throttlePeriods: throttle['nr_periods'] ?? 0n,
      throttledPeriods: throttle['nr_throttled'] ?? 0n,
      throttledNs: throttle['throttled_time'] ?? 0n,
    },
    memory: {
      usageBytes: parseNumber(memory),
      maxUsageBytes: parseNumber(maxMemory),
      limitBytes: parseNumber(limit),
      failCount: parseNumber(failures),
      swapBytes: difference(parseLimit(withSwap), parseNumber(memory)),
      kernelBytes: parseLimit(kernel),
      oomKills: parseFlatKeyed(oom)['oom_kill'] ?? 0n,
      stat: parseFlatKeyed(memoryStat),
    },
    pressure: {},
    pids: { current: parseNumber(pids), limit: parseLimit(pidsLimit) },
    blkio: parseBlkio(bytes, ios),
  };
}

async function readV2(dir: string, now: () => Date): Promise<CgroupStats> {
  const read = (file: string) => readControl(`${dir}/${file}`);
  const [cpuStat, memory, peak, limit, memoryEvents, memoryStat, swap, pids, pidsLimit, io, cpuPressure, memoryPressure, ioPressure] = await Promise.all(
    [
      'cpu.stat',
      'memory.current',
      'memory.peak',
      'memory.max',
      'memory.events',
      'memory.stat',
      'memory.swap.current',
      'pids.current',
      'pids.max',
      'io.stat',
      'cpu.pressure',
      'memory.pressure',
      'io.pressure',
    ].map(read),
  );
  const cpu = parseFlatKeyed(cpuStat ?? '');
  const stat = parseFlatKeyed(memoryStat ?? '');
  const events = parseFlatKeyed(memoryEvents ?? '');
  const microseconds = (name: string) => (cpu[name] ?? 0n) * 1000n;
  return {
    readAt: now(),
    cpu: {
      usageNs: microseconds('usage_usec'),
      userNs: microseconds('user_usec'),
      kernelNs: microseconds('system_usec'),
      perCpuNs: [],
      throttlePeriods: cpu['nr_periods'] ?? 0n,
      throttledPeriods: cpu['nr_throttled'] ?? 0n,
      throttledNs: microseconds('throttled_usec'),
    },
    memory: {
      usageBytes: parseNumber(memory ?? ''),
      maxUsageBytes: parseNumber(peak ?? ''),
      limitBytes: parseLimit(limit ?? '') ?? unlimited,
      failCount: events['max'] ?? 0n,
      swapBytes: parseLimit(swap ?? ''),
      kernelBytes: stat['kernel'],
      oomKills: events['oom_kill'] ?? 0n,
      stat,
    },
    pressure: {
      ...pressureOf('cpu', cpuPressure),
      ...pressureOf('memory', memoryPressure),
      ...pressureOf('io', ioPressure),
    },
    pids: { current: parseNumber(pids ?? ''), limit: parseLimit(pidsLimit ?? '') },
    blkio: parseIoStat(io ?? ''),
  };
}

/** Lines `name number`; the record has no prototype, as the names are the kernel's. */
export function parseFlatKeyed(text: string): Readonly<Record<string, bigint>> {
  const values: Record<string, bigint> = Object.create(null);
  for (const [, name = '', value = ''] of text.matchAll(/^(\S+) (\d+)$/gm)) values[name] = BigInt(value);
  return values;
}

/** Lines `MAJOR:MINOR OP VALUE` of the two blkio files, joined; totals are left out. */
export function parseBlkio(bytes: string, ios: string): CgroupStats['blkio'] {
  const pattern = /^(\d+):(\d+) (\w+) (\d+)$/gm;
  const counts = new Map([...ios.matchAll(pattern)].map(([, major, minor, op, value]) => [`${major}:${minor} ${op}`, BigInt(value ?? 0)]));
  return [...bytes.matchAll(pattern)].map(([, major, minor, op = '', value]) => ({
    major: Number(major),
    minor: Number(minor),
    op,
    bytes: BigInt(value ?? 0),
    ios: counts.get(`${major}:${minor} ${op}`) ?? 0n,
  }));
}

/** Lines `MAJOR:MINOR rbytes=… wbytes=… rios=… wios=…`, under v1's names for the directions. */
export function parseIoStat(text: string): CgroupStats['blkio'] {
  const entries: CgroupStats['blkio'][number][] = [];
  for (const line of text.split('\n')) {
    const device = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!device) continue;
    const values = new Map([...(device[3] ?? '').matchAll(/(\w+)=(\d+)/g)].map(([, key = '', value = '0']) => [key, BigInt(value)]));
    for (const [op, letter] of [
      ['Read', 'r'],
      ['Write', 'w'],
    ] as const)
      entries.push({
        major: Number(device[1]),
        minor: Number(device[2]),
        op,
        bytes: values.get(`${letter}bytes`) ?? 0n,
        ios: values.get(`${letter}ios`) ?? 0n,
      });
  }
  return entries;
}

/** Two lines `some|full avg10=… avg60=… avg300=… total=MICROSECONDS`; undefined when they are not there. */
export function parsePressure(text: string): Pressure | undefined {
  const stall = (kind: string): Stall | undefined => {
    const found = new RegExp(`^${kind} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) total=(\\d+)$`, 'm').exec(text);
    return found === null ? undefined : { averages: [Number(found[1]), Number(found[2]), Number(found[3])], totalNs: BigInt(found[4] ?? 0) * 1000n };
  };
  const [some, full] = [stall('some'), stall('full')];
  return some === undefined || full === undefined ? undefined : { some, full };
}

function pressureOf(name: 'cpu' | 'memory' | 'io', text = ''): CgroupStats['pressure'] {
  const pressure = parsePressure(text);
  return pressure === undefined ? {} : { [name]: pressure };
}

/** The counters are not read in one moment: less than nothing is nothing. */
function difference(larger: bigint | undefined, smaller: bigint): bigint | undefined {
  if (larger === undefined) return undefined;
  return larger > smaller ? larger - smaller : 0n;
}

function parseNumber(text: string): bigint {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : 0n;
}

/** `max` and a missing file are no limit. */
function parseLimit(text: string): bigint | undefined {
  const trimmed = text.trim();
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : undefined;
}

async function readControl(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
