/** Every limit of `linux.resources` as the kernel has it, at create and after `update`, on v1 and on v2. */
import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container } from './lib/container.ts';
import { cgroupFile, cgroupVersion, readCgroup, type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const MiB = 1 << 20;

/** A v1 controller, its file and what that says; the v2 file and what that says. */
type Limit = readonly [controller: string, v1File: string, v1Value: string, v2File: string, v2Value: string];

function check(container: Container, limits: readonly Limit[]): void {
  const { cgroup } = container;
  const actual = limits.map(([controller, v1File, , v2File]) => `${v2File}: ${readCgroup(cgroup, controller, v1File, v2File)}`);
  const expected = limits.map(([controller, , v1Value, v2File, v2Value]) => `${v2File}: ${cgroup.directories.has(controller) ? v1Value : v2Value}`);
  expect(actual).toEqual(expected);
}

/** MAJOR:MINOR of a disk that every machine has one of. */
function anyDisk(): { readonly major: number; readonly minor: number } {
  const name = readdirSync('/sys/class/block').find((entry) => /^(loop|ram|vda|sda)/.test(entry));
  const [major, minor] = readFileSync(join('/sys/class/block', name ?? '', 'dev'), 'utf8')
    .split(':')
    .map(Number);
  return { major: major ?? 0, minor: minor ?? 0 };
}

describe('limits of a new container, and their update', () => {
  test('memory', async () => {
    await using container = await runtime.current.create((spec) => {
      spec.linux.resources['memory'] = { limit: 64 * MiB, swap: 96 * MiB, reservation: 32 * MiB };
    });
    check(container, [
      ['memory', 'memory.limit_in_bytes', String(64 * MiB), 'memory.max', String(64 * MiB)],
      ['memory', 'memory.memsw.limit_in_bytes', String(96 * MiB), 'memory.swap.max', String(32 * MiB)],
      ['memory', 'memory.soft_limit_in_bytes', String(32 * MiB), 'memory.low', String(32 * MiB)],
    ]);
    for (const [limit, swap] of [
      [128, 256],
      [32, 48],
    ] as const) {
      await runtime.current.output(['update', '--memory', String(limit * MiB), '--memory-swap', String(swap * MiB), container.id]);
      check(container, [
        ['memory', 'memory.limit_in_bytes', String(limit * MiB), 'memory.max', String(limit * MiB)],
        ['memory', 'memory.memsw.limit_in_bytes', String(swap * MiB), 'memory.swap.max', String((swap - limit) * MiB)],
      ]);
    }
  });

  test('processor time and processors', async () => {
    await using container = await runtime.current.create((spec) => {
      spec.linux.resources['cpu'] = { shares: 1024, quota: 40_000, period: 80_000, burst: 10_000, cpus: '0', mems: '0' };
    });
    check(container, [
      ['cpu', 'cpu.shares', '1024', 'cpu.weight', '100'],
      ['cpu', 'cpu.cfs_quota_us', '40000', 'cpu.max', '40000 80000'],
      ['cpu', 'cpu.cfs_period_us', '80000', 'cpu.max', '40000 80000'],
      ['cpu', 'cpu.cfs_burst_us', '10000', 'cpu.max.burst', '10000'],
      ['cpuset', 'cpuset.cpus', '0', 'cpuset.cpus', '0'],
      ['cpuset', 'cpuset.mems', '0', 'cpuset.mems', '0'],
    ]);
    expect(container.status('Cpus_allowed_list')).toBe('0');
    await runtime.current.output(['update', '--cpu-quota', '20000', '--cpu-period', '50000', '--cpu-burst', '5000', '--cpuset-cpus', '1', container.id]);
    check(container, [
      ['cpu', 'cpu.cfs_quota_us', '20000', 'cpu.max', '20000 50000'],
      ['cpu', 'cpu.cfs_period_us', '50000', 'cpu.max', '20000 50000'],
      ['cpu', 'cpu.cfs_burst_us', '5000', 'cpu.max.burst', '5000'],
    ]);
    expect(container.status('Cpus_allowed_list')).toBe('1');
  });

  test('an idle container', async () => {
    await using container = await runtime.current.create((spec) => {
      spec.linux.resources['cpu'] = { idle: 1 };
    });
    check(container, [['cpu', 'cpu.idle', '1', 'cpu.idle', '1']]);
  });

  test('processes', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources['pids'] = { limit: 3 };
    });
    check(container, [['pids', 'pids.max', '3', 'pids.max', '3']]);
    const finished = await container.exec(['sh', '-c', 'sleep 100 >/dev/null 2>&1 & sleep 100 >/dev/null & echo $?']);
    expect(finished.stderr).toContain("can't fork");
    expect(readCgroup(container.cgroup, 'pids', 'pids.events', 'pids.events')).not.toBe('max 0');
    await runtime.current.output(['update', '--pids-limit', '-1', container.id]);
    check(container, [['pids', 'pids.max', 'max', 'pids.max', 'max']]);
  });

  test('block input and output', async () => {
    const disk = anyDisk();
    await using container = await runtime.current.create((spec) => {
      spec.linux.resources['blockIO'] = {
        weight: 300,
        throttleReadBpsDevice: [{ ...disk, rate: MiB }],
        throttleWriteBpsDevice: [{ ...disk, rate: 2 * MiB }],
        throttleReadIOPSDevice: [{ ...disk, rate: 100 }],
        throttleWriteIOPSDevice: [{ ...disk, rate: 200 }],
      };
    });
    const name = `${disk.major}:${disk.minor}`;
    const together = `${name} rbps=${MiB} wbps=${2 * MiB} riops=100 wiops=200`;
    check(container, [
      ['blkio', 'blkio.throttle.read_bps_device', `${name} ${MiB}`, 'io.max', together],
      ['blkio', 'blkio.throttle.write_bps_device', `${name} ${2 * MiB}`, 'io.max', together],
      ['blkio', 'blkio.throttle.read_iops_device', `${name} 100`, 'io.max', together],
      ['blkio', 'blkio.throttle.write_iops_device', `${name} 200`, 'io.max', together],
    ]);
    if (existsSync(cgroupFile(container.cgroup, 'blkio', 'blkio.bfq.weight', 'io.bfq.weight')))
      check(container, [['blkio', 'blkio.bfq.weight', '300', 'io.bfq.weight', 'default 300']]);
  });
});

describe('what one version alone has', () => {
  const unified = { 'memory.high': String(48 * MiB), 'pids.max': '42', 'cpu.weight': '77' };
  const withUnified = (spec: TestSpec) => {
    spec.linux.resources['unified'] = unified;
  };
  const withHugePages = (spec: TestSpec) => {
    spec.linux.resources['hugepageLimits'] = [{ pageSize: '2MB', limit: 4 * MiB }];
  };

  if (cgroupVersion === 'v2') {
    test('unified: the files of v2 themselves', async () => {
      await using container = await runtime.current.create(withUnified);
      check(
        container,
        Object.entries(unified).map(([file, value]): Limit => ['unified', '', '', file, value]),
      );
    });

    test('huge pages', async () => {
      await using container = await runtime.current.create(withHugePages);
      check(container, [
        ['hugetlb', '', '', 'hugetlb.2MB.max', String(4 * MiB)],
        ['hugetlb', '', '', 'hugetlb.2MB.rsvd.max', String(4 * MiB)],
      ]);
    });
  } else {
    test('unified is refused', async () => {
      const refused = await runtime.current.run(withUnified);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('unified');
    });

    test('huge pages are refused while v1 has no such hierarchy', async () => {
      const refused = await runtime.current.run(withHugePages);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('hugetlb');
    });
  }
});

describe('limits that the kernel refuses', () => {
  test.each([
    { name: 'a processor that is not there', resources: { cpu: { cpus: '4000' } }, error: 'cpuset.cpus' },
    { name: 'swap below memory', resources: { memory: { limit: 64 * MiB, swap: 32 * MiB } }, error: 'memory+swap limit should be >= memory limit' },
    { name: 'a disk that is not there', resources: { blockIO: { throttleReadBpsDevice: [{ major: 4000, minor: 9, rate: 1 }] } }, error: '4000:9' },
  ])('$name', async ({ resources, error }) => {
    const finished = await runtime.current.run((spec) => Object.assign(spec.linux.resources, resources));
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain(error);
  });
});
