import { type CgroupDirectories, v1DirectoryOf } from '../../../kernel/index.ts';
import { hugePageSizes, memoryEntry, parseCount, parseKeyed, type ReadControl, readerOf, unlessZero, withoutZeros } from './files.ts';

/** The fields of runc's statistics that v1's controllers have. */
export function v1Stats(directories: CgroupDirectories): Record<string, unknown> {
  const of = (controller: string) => readerOf(v1DirectoryOf(directories, controller));
  return {
    cpu: { usage: cpuUsage(of('cpuacct')), ...throttling(of('cpu')) },
    cpuset: cpusetStats(of('cpuset')),
    memory: memoryStats(of('memory')),
    pids: pidsStats(of('pids')),
    blkio: blkioStats(of('blkio')),
    hugetlb: v1DirectoryOf(directories, 'hugetlb') === undefined ? {} : hugetlbStats(of('hugetlb')),
  };
}

/** In ns. */
function cpuUsage(read: ReadControl): Record<string, unknown> {
  // `cpu user system`, a line a CPU
  const perCpu = [...read('cpuacct.usage_all').matchAll(/^\d+ (\d+) (\d+)$/gm)];
  return {
    ...withoutZeros({
      total: parseCount(read('cpuacct.usage')),
      percpu: read('cpuacct.usage_percpu').split(/\s+/).filter(Boolean).map(BigInt),
      percpu_kernel: perCpu.map(([, , system = '0']) => BigInt(system)),
      percpu_user: perCpu.map(([, user = '0']) => BigInt(user)),
    }),
    kernel: parseCount(read('cpuacct.usage_sys')),
    user: parseCount(read('cpuacct.usage_user')),
  };
}

function throttling(read: ReadControl): Record<string, unknown> {
  const stat = parseKeyed(read('cpu.stat'));
  const fields = withoutZeros({ periods: stat.get('nr_periods'), throttledPeriods: stat.get('nr_throttled'), throttledTime: stat.get('throttled_time') });
  return Object.keys(fields).length === 0 ? {} : { throttling: fields };
}

function cpusetStats(read: ReadControl): Record<string, unknown> {
  const numbers = ['mem_hardwall', 'mem_exclusive', 'memory_migrate', 'memory_spread_page', 'memory_spread_slab', 'memory_pressure', 'sched_load_balance'];
  return {
    ...withoutZeros({ cpus: parseList(read('cpuset.cpus')) }),
    cpu_exclusive: parseCount(read('cpuset.cpu_exclusive')),
    ...withoutZeros({ mems: parseList(read('cpuset.mems')) }),
    ...Object.fromEntries(numbers.map((name) => [name, parseCount(read(`cpuset.${name}`))])),
    sched_relax_domain_level: Number(read('cpuset.sched_relax_domain_level') || '0'),
  };
}

/** `0-2,5` as 0, 1, 2, 5. */
export function parseList(text: string): readonly number[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from = '0', to = from]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index),
  );
}

function memoryStats(read: ReadControl): Record<string, unknown> {
  const stat = parseKeyed(read('memory.stat'));
  const entry = (name: string) => {
    const value = (file: string) => parseCount(read(`${name}.${file}`));
    return unlessZero(memoryEntry(value('limit_in_bytes'), value('usage_in_bytes'), value('max_usage_in_bytes'), value('failcnt')));
  };
  return withoutZeros({
    cache: stat.get('cache'),
    usage: entry('memory'),
    swap: entry('memory.memsw'),
    kernel: entry('memory.kmem'),
    kernelTCP: entry('memory.kmem.tcp'),
    raw: Object.fromEntries(stat),
  });
}

/** No limit is no number, as runc has it. */
export function pidsStats(read: ReadControl): Record<string, unknown> {
  const limit = read('pids.max');
  return withoutZeros({ current: parseCount(read('pids.current')), limit: limit === 'max' ? undefined : parseCount(limit) });
}

/** BFQ's files where it schedules, else the block layer's throttle's. */
function blkioStats(read: ReadControl): Record<string, unknown> {
  const entries = (file: string) =>
    [...read(file).matchAll(/^(\d+):(\d+) (?:(\w+) )?(\d+)$/gm)].map(([, major, minor, op, value = '0']) =>
      withoutZeros({ major: Number(major), minor: Number(minor), op, value: BigInt(value) }),
    );
  const bfq = entries('blkio.bfq.io_serviced_recursive').length > 0;
  const names = {
    ioServiceBytesRecursive: 'io_service_bytes_recursive',
    ioServicedRecursive: 'io_serviced_recursive',
    ioQueueRecursive: 'io_queued_recursive',
    ioServiceTimeRecursive: 'io_service_time_recursive',
    ioWaitTimeRecursive: 'io_wait_time_recursive',
    ioMergedRecursive: 'io_merged_recursive',
    ioTimeRecursive: 'time_recursive',
    sectorsRecursive: 'sectors_recursive',
  };
  return withoutZeros(Object.fromEntries(Object.entries(names).map(([name, file]) => [name, entries(`blkio.${bfq ? 'bfq' : 'throttle'}.${file}`)])));
}

function hugetlbStats(read: ReadControl): Record<string, unknown> {
  return Object.fromEntries(
    hugePageSizes().map((size) => {
      const prefix = read(`hugetlb.${size}.rsvd.usage_in_bytes`) === '' ? `hugetlb.${size}` : `hugetlb.${size}.rsvd`;
      const value = (file: string) => parseCount(read(`${prefix}.${file}`));
      return [size, { ...withoutZeros({ usage: value('usage_in_bytes'), max: value('max_usage_in_bytes') }), failcnt: value('failcnt') }];
    }),
  );
}
