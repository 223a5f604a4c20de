import { expect, test } from 'bun:test';
import type { MemoryResources, ResourcesSpec } from '../../oci/index.ts';
import type { Op } from '../program/index.ts';
import { cpuWeightOfShares, ioWeightOfBlkioWeight, v2SwapLimit } from './conversions.ts';
import type { CgroupLayout } from './layout.ts';
import { v1LimitOperations } from './limits-v1.ts';
import { v2LimitOperations } from './limits-v2.ts';
import { updateOperations } from './update.ts';

const controllers = ['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'rdma'];
const directories = { v1: controllers.map((name) => ({ name, controllers: [name], mountpoint: `/cg/${name}`, dir: `/cg/${name}/c` })), v2: undefined };

const v2 = { controllers: ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb'] };

/** `file=value`, with the flags when there are any. */
function lines(ops: readonly Op[]): string[] {
  return ops.map((op) => {
    if (op.op !== 'write_file') throw new Error(op.op);
    const other = op.elsePath ? ` or ${op.elsePath}=${Buffer.from(op.elseData ?? []).toString()}` : '';
    return `${op.path}=${Buffer.from(op.data).toString()}${other}${op.flags ? ` (${op.flags})` : ''}`;
  });
}

test.each([
  [0, 0],
  [2, 1],
  [512, 59],
  [1024, 100],
  [2048, 174],
  [262144, 10000],
])('cpu.shares %i is cpu.weight %i', (shares, weight) => expect(cpuWeightOfShares(shares)).toBe(weight));

test.each([
  [0, 0],
  [10, 1],
  [500, 4950],
  [1000, 10000],
])('blkio.weight %i is io.weight %i', (blkio, io) => expect(ioWeightOfBlkioWeight(blkio)).toBe(io));

test.each([
  [undefined, undefined, undefined],
  [-1, undefined, -1n],
  [100, -1, -1n],
  [100, 300, 200n],
  [100, 100, 0n],
  [-1, 500, 500n],
])('swap on v2 for memory %p and memory+swap %p is %p', (memory, swap, expected) => expect(v2SwapLimit(memory, swap)).toBe(expected));

test.each([
  [undefined, 100, 'unable to set swap limit without memory limit'],
  [200, 100, 'memory+swap limit should be >= memory limit'],
])('swap on v2 refuses memory %p and memory+swap %p', (memory, swap, message) => expect(() => v2SwapLimit(memory, swap)).toThrow(message));

const v1Cases: [string, ResourcesSpec, string[]][] = [
  ['memory before memsw', { memory: { limit: 64, swap: 128 } }, ['/cg/memory/c/memory.limit_in_bytes=64', '/cg/memory/c/memory.memsw.limit_in_bytes=128']],
  [
    'unlimited memory takes swap with it',
    { memory: { limit: -1 } },
    ['/cg/memory/c/memory.limit_in_bytes=-1', '/cg/memory/c/memory.memsw.limit_in_bytes=-1 (2)'],
  ],
  [
    'an int64 beyond 2^53',
    { memory: { limit: 9223372036854771712n, reservation: 9007199254740993n } },
    ['/cg/memory/c/memory.limit_in_bytes=9223372036854771712', '/cg/memory/c/memory.soft_limit_in_bytes=9007199254740993'],
  ],
  [
    'swappiness and the OOM killer',
    { memory: { swappiness: 0, disableOOMKiller: true, kernelTCP: 7 } },
    ['/cg/memory/c/memory.kmem.tcp.limit_in_bytes=7', '/cg/memory/c/memory.oom_control=1', '/cg/memory/c/memory.swappiness=0'],
  ],
  [
    'cpu',
    { cpu: { shares: 512, quota: 50000, period: 100000, burst: 1000, cpus: '0-1', mems: '0', realtimeRuntime: 950, realtimePeriod: 1000 } },
    [
      '/cg/cpu/c/cpu.rt_period_us=1000',
      '/cg/cpu/c/cpu.rt_runtime_us=950',
      '/cg/cpu/c/cpu.shares=512',
      '/cg/cpu/c/cpu.cfs_period_us=100000',
      '/cg/cpu/c/cpu.cfs_quota_us=50000',
      '/cg/cpu/c/cpu.cfs_burst_us=1000',
    ],
  ],
  ['pids', { pids: { limit: 100 } }, ['/cg/pids/c/pids.max=100']],
  ['pids unlimited', { pids: { limit: -1 } }, ['/cg/pids/c/pids.max=max']],
  ['pids zero', { pids: { limit: 0 } }, ['/cg/pids/c/pids.max=1']],
  [
    'blkio',
    { blockIO: { weight: 300, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }], throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 10 }] } },
    ['/cg/blkio/c/blkio.bfq.weight=300', '/cg/blkio/c/blkio.throttle.read_bps_device=8:0 1048576', '/cg/blkio/c/blkio.throttle.write_iops_device=8:16 10'],
  ],
  ['rdma', { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10 } } }, ['/cg/rdma/c/rdma.max=mlx5_1 hca_handle=3 hca_object=10']],
];
test.each(v1Cases)('v1: %s', (_, resources, expected) => expect(lines(v1LimitOperations(directories, resources))).toEqual(expected));

const refused: [string, ResourcesSpec, string][] = [
  [
    'hugetlb without its controller',
    { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] },
    'cannot set hugetlb limit: container could not join or create cgroup',
  ],
  ['unified', { unified: { 'memory.high': '1' } }, 'invalid configuration: cannot use unified on cgroup v1'],
  ['swap below memory', { memory: { limit: 200, swap: 100 } }, 'memory+swap limit should be >= memory limit'],
  ['swappiness', { memory: { swappiness: 101 } }, 'invalid memory swappiness value: 101 (valid range is 0-100)'],
  ['a page size with a path', { hugepageLimits: [{ pageSize: '../x', limit: 0 }] }, 'invalid name in resources: "../x"'],
];
test.each(refused)('v1 refuses %s', (_, resources, message) => expect(() => v1LimitOperations(directories, resources)).toThrow(message));

test('a live v1 cgroup gets the greater limit first', () => {
  const resources = { memory: { limit: 200, swap: 400 } };
  const swapFirst = ['/cg/memory/c/memory.memsw.limit_in_bytes=400', '/cg/memory/c/memory.limit_in_bytes=200'];
  expect(lines(v1LimitOperations(directories, resources, { live: { memswBytes: 100n } }))).toEqual(swapFirst);
  expect(lines(v1LimitOperations(directories, resources, { live: { memswBytes: 1000n } }))).toEqual(swapFirst.toReversed());
});

test('a live v1 cgroup gets its period again after the quota', () => {
  expect(lines(v1LimitOperations(directories, { cpu: { quota: 5000, period: 10000, cpus: '1' } }, { live: { memswBytes: undefined } }))).toEqual([
    '/cg/cpuset/c/cpuset.cpus=1',
    '/cg/cpu/c/cpu.cfs_period_us=10000 (2)',
    '/cg/cpu/c/cpu.cfs_quota_us=5000',
    '/cg/cpu/c/cpu.cfs_period_us=10000',
  ]);
});

const v2Cases: [string, ResourcesSpec, string[]][] = [
  ['swap before memory', { memory: { limit: 64, swap: 128, reservation: 32 } }, ['/cg/c/memory.swap.max=64', '/cg/c/memory.max=64', '/cg/c/memory.low=32']],
  ['unlimited', { memory: { limit: -1, swap: -1 }, pids: { limit: -1 } }, ['/cg/c/pids.max=max', '/cg/c/memory.swap.max=max (2)', '/cg/c/memory.max=max']],
  ['cpu', { cpu: { shares: 1024, quota: 50000, cpus: '0' } }, ['/cg/c/cpu.weight=100', '/cg/c/cpu.max=50000 100000', '/cg/c/cpuset.cpus=0']],
  ['no quota', { cpu: { quota: -1, period: 20000 } }, ['/cg/c/cpu.max=max 20000']],
  ['idle has no weight', { cpu: { idle: 1, shares: 1024 } }, ['/cg/c/cpu.idle=1']],
  [
    'io',
    { blockIO: { weight: 10, throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 5 }], throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }] } },
    ['/cg/c/io.bfq.weight=10 or /cg/c/io.weight=1', '/cg/c/io.max=8:0 rbps=5', '/cg/c/io.max=8:0 wiops=max'],
  ],
  [
    'unified, a line a write',
    { unified: { 'memory.high': '100', 'io.max': '8:0 rbps=1\n8:16 rbps=2\n' } },
    ['/cg/c/memory.high=100 (16)', '/cg/c/io.max=8:0 rbps=1\n8:16 rbps=2\n (16)'],
  ],
  ['hugetlb', { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] }, ['/cg/c/hugetlb.2MB.max=4194304', '/cg/c/hugetlb.2MB.rsvd.max=4194304 (2)']],
];
test.each(v2Cases)('v2: %s', (_, resources, expected) => expect(lines(v2LimitOperations('/cg/c', resources, v2))).toEqual(expected));

const v2Refused: [string, ResourcesSpec, string][] = [
  ['a unified path', { unified: { '../x': '1' } }, 'unified resource "../x" must be a file name (no slashes)'],
  ['a unified name without its controller', { unified: { memory: '1' } }, 'unified resource "memory" must be in the form CONTROLLER.PARAMETER'],
  ['a unified controller that is not there', { unified: { 'misc.max': '1' } }, 'unified resource "misc.max" can\'t be set: controller "misc" not available'],
  ['what is no setting', { unified: { 'cgroup.procs': '1' } }, 'invalid unified resource "cgroup.procs"'],
  ['a limit whose controller is not there', { rdma: { mlx5_1: { hcaHandles: 3 } } }, 'cannot set rdma limit: container could not join or create cgroup'],
  ['swap alone', { memory: { swap: 100 } }, 'unable to set swap limit without memory limit'],
  ['swappiness', { memory: { swappiness: 60 } }, 'linux.resources.memory.swappiness: cgroup v2 cannot do this'],
  ['a class of packets', { network: { classID: 1 } }, 'linux.resources.network.classID: cgroup v2 cannot do this'],
  ['shares below the least', { cpu: { shares: 1 } }, 'the minimum allowed cpu-shares is 2'],
];
test.each(v2Refused)('v2 refuses %s', (_, resources, message) => expect(() => v2LimitOperations('/cg/c', resources, v2)).toThrow(message));

test('lenient: a file that the kernel may lack is no failure, and v2 leaves out what only v1 can do', () => {
  expect(lines(v1LimitOperations(directories, { memory: { limit: 64, swap: 128 } }, { lenient: true })).at(-1)).toBe(
    '/cg/memory/c/memory.memsw.limit_in_bytes=128 (1)',
  );
  expect(v2LimitOperations('/cg/c', { memory: { swappiness: 60 } }, { ...v2, lenient: true })).toEqual([]);
});

test('a live v2 cgroup keeps the half of cpu.max that is not given, and counts swap from its memory limit', () => {
  const live = { ...v2, live: { memoryBytes: 100n, quota: '500000', period: '1000000' } };
  expect(lines(v2LimitOperations('/cg/c', { cpu: { period: 900000 }, memory: { swap: 150 } }, live))).toEqual([
    '/cg/c/cpu.max=500000 900000',
    '/cg/c/memory.swap.max=50',
  ]);
  expect(lines(v2LimitOperations('/cg/c', { cpu: { quota: 600000 } }, live))).toEqual(['/cg/c/cpu.max=600000 1000000']);
});

test('v2 checks a memory limit against the use before an update', () => {
  const layout: CgroupLayout = { kind: 'v2', v1: [], v2: { mountpoint: '/cg', root: '/', controllers: ['memory'] } };
  const live = { memswBytes: undefined, memoryBytes: undefined, memoryUsageBytes: 5000n, cpuMax: undefined };
  const update = (memory: MemoryResources) => updateOperations(layout, { v1: [], v2: '/cg/c' }, { memory }, live);
  expect(() => update({ limit: 1024, checkBeforeUpdate: true })).toThrow('rejecting memory limit 1024 <= usage 5000');
  expect(() => update({ limit: 1024, swap: 2048, checkBeforeUpdate: true })).toThrow('rejecting memory+swap limit 2048 <= usage 5000');
  expect(lines(update({ limit: 1024 }))).toEqual(['/cg/c/memory.max=1024']);
  expect(lines(update({ limit: -1, checkBeforeUpdate: true }))).toEqual(['/cg/c/memory.swap.max=max (2)', '/cg/c/memory.max=max']);
});
