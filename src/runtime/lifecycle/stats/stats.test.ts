import { afterAll, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatJson } from '../../../oci/index.ts';
import { hugePageSizes } from './files.ts';
import { containerStats } from './stats.ts';
import { parseList } from './v1.ts';
import { parsePressure } from './v2.ts';

const root = mkdtempSync(path.join(tmpdir(), 'strake-stats-'));
afterAll(() => rmSync(root, { recursive: true }));

/** A directory with these files. */
function cgroup(name: string, files: Readonly<Record<string, string>>): string {
  const dir = path.join(root, name);
  mkdirSync(dir);
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(dir, file), text);
  return dir;
}

const noCpuset = '"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0';

test('v2, in the shape of runc', () => {
  const v2 = cgroup('v2', {
    'cpu.stat': 'usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n',
    'cpu.pressure': 'some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    'memory.stat': 'anon 10\nfile 20\n',
    'memory.current': '4096\n',
    'memory.max': 'max\n',
    'memory.peak': '8192\n',
    'memory.swap.current': '1\n',
    'memory.swap.max': 'max\n',
    'pids.current': '2\n',
    'pids.max': 'max\n',
    'io.stat': '8:0 rbytes=1 wbytes=0 rios=1 wios=0\n',
  });
  expect(formatJson(containerStats({ cgroup: { v1: [], v2 } }))).toBe(
    '{"cpu":{"usage":{"total":5000,"kernel":2000,"user":3000},"psi":{"some":{"avg10":1.5,"avg60":0,"avg300":0,"total":7},' +
      '"full":{"avg10":0,"avg60":0,"avg300":0,"total":0}}},' +
      `"cpuset":{${noCpuset},"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},` +
      '"memory":{"cache":20,"usage":{"limit":18446744073709551615,"usage":4096,"max":8192,"failcnt":0},' +
      '"swap":{"limit":18446744073709551615,"usage":4097,"failcnt":0},"raw":{"anon":10,"file":20}},' +
      '"pids":{"current":2},"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":1},{"major":8,"op":"Write"}],' +
      '"ioServicedRecursive":[{"major":8,"op":"Read","value":1},{"major":8,"op":"Write"}]},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}',
  );
});

test('v1, in the shape of runc', () => {
  const hugetlb = Object.fromEntries(
    hugePageSizes().flatMap((size) => [
      [`hugetlb.${size}.rsvd.usage_in_bytes`, '0\n'],
      [`hugetlb.${size}.rsvd.max_usage_in_bytes`, '4096\n'],
      [`hugetlb.${size}.rsvd.failcnt`, '1\n'],
    ]),
  );
  const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    cpuacct: {
      'cpuacct.usage': '9\n',
      'cpuacct.usage_user': '4\n',
      'cpuacct.usage_sys': '5\n',
      'cpuacct.usage_percpu': '4 5 \n',
      'cpuacct.usage_all': 'cpu user system\n0 1 3\n1 2 3\n',
    },
    cpu: { 'cpu.stat': 'nr_periods 3\nnr_throttled 1\nthrottled_time 8\n' },
    cpuset: { 'cpuset.cpus': '0-1,3\n', 'cpuset.mems': '0\n', 'cpuset.sched_load_balance': '1\n', 'cpuset.sched_relax_domain_level': '-1\n' },
    memory: {
      'memory.stat': 'cache 7\n',
      'memory.usage_in_bytes': '8\n',
      'memory.limit_in_bytes': '64\n',
      'memory.max_usage_in_bytes': '9\n',
      'memory.failcnt': '2\n',
    },
    pids: { 'pids.current': '1\n', 'pids.max': '20\n' },
    blkio: { 'blkio.throttle.io_serviced_recursive': '8:0 Read 3\n8:0 Total 3\nTotal 3\n' },
    hugetlb,
  };
  const v1 = Object.entries(files).map(([name, contents]) => ({ name, controllers: [name], mountpoint: root, dir: cgroup(name, contents) }));
  const stats = containerStats({ cgroup: { v1, v2: undefined } }) as Record<string, unknown>;
  expect(JSON.parse(formatJson(stats))).toEqual({
    cpu: {
      usage: { total: 9, percpu: [4, 5], percpu_kernel: [3, 3], percpu_user: [1, 2], kernel: 5, user: 4 },
      throttling: { periods: 3, throttledPeriods: 1, throttledTime: 8 },
    },
    cpuset: {
      cpus: [0, 1, 3],
      cpu_exclusive: 0,
      mems: [0],
      mem_hardwall: 0,
      mem_exclusive: 0,
      memory_migrate: 0,
      memory_spread_page: 0,
      memory_spread_slab: 0,
      memory_pressure: 0,
      sched_load_balance: 1,
      sched_relax_domain_level: -1,
    },
    memory: { cache: 7, usage: { limit: 64, usage: 8, max: 9, failcnt: 2 }, raw: { cache: 7 } },
    pids: { current: 1, limit: 20 },
    blkio: {
      ioServicedRecursive: [
        { major: 8, op: 'Read', value: 3 },
        { major: 8, op: 'Total', value: 3 },
      ],
    },
    hugetlb: Object.fromEntries(hugePageSizes().map((size) => [size, { max: 4096, failcnt: 1 }])),
    intel_rdt: {},
    network_interfaces: null,
  });
});

test.each([
  ['', []],
  ['0-2,5', [0, 1, 2, 5]],
])('the list %p', (text, numbers) => expect(parseList(text)).toEqual(numbers));

test('a kernel that counts no pressure', () => expect(parsePressure('')).toBe(undefined));
