import { expect, test } from 'bun:test';
import { fromBinary } from '@bufbuild/protobuf';
import { cgroupsV1, cgroupsV2 } from '../api/io/index.ts';
import type { TaskStats } from '../core/tasks/index.ts';
import { metricsOf } from './metrics.ts';

const stats: TaskStats = {
  readAt: new Date(0),
  cpu: { usageNs: 5_000n, userNs: 3_000n, kernelNs: 2_000n, perCpuNs: [4_000n, 1_000n], throttlePeriods: 9n, throttledPeriods: 2n, throttledNs: 7_000n },
  memory: {
    usageBytes: 100n,
    maxUsageBytes: 200n,
    limitBytes: 2n ** 64n - 1n,
    failCount: 1n,
    swapBytes: 20n,
    kernelBytes: 30n,
    oomKills: 4n,
    stat: { rss: 11n, total_rss: 12n, inactive_file: 13n, anon: 14n },
  },
  pressure: {},
  pids: { current: 3n, limit: undefined },
  blkio: [
    { major: 8, minor: 0, op: 'Read', bytes: 512n, ios: 1n },
    { major: 8, minor: 0, op: 'Write', bytes: 1024n, ios: 2n },
  ],
};

test('of the hierarchies', () => {
  const { typeUrl, value } = metricsOf(stats, 1);
  expect(typeUrl).toBe('io.containerd.cgroups.v1.Metrics');
  const { cpu, memory, pids, blkio, memoryOomControl } = fromBinary(cgroupsV1.MetricsSchema, value);
  expect(cpu).toMatchObject({
    usage: { total: 5_000n, kernel: 2_000n, user: 3_000n, perCpu: [4_000n, 1_000n] },
    throttling: { periods: 9n, throttledPeriods: 2n, throttledTime: 7_000n },
  });
  expect(memory).toMatchObject({ rss: 11n, totalRss: 12n, inactiveFile: 13n, usage: { usage: 100n, max: 200n, limit: 2n ** 64n - 1n, failcnt: 1n } });
  expect(memory).toMatchObject({ swap: { usage: 120n }, kernel: { usage: 30n } });
  expect(memoryOomControl?.oomKill).toBe(4n);
  expect(pids).toMatchObject({ current: 3n, limit: 0n });
  expect(blkio?.ioServiceBytesRecursive).toMatchObject([
    { op: 'Read', major: 8n, value: 512n },
    { op: 'Write', value: 1024n },
  ]);
});

test('of the one tree', () => {
  const { typeUrl, value } = metricsOf(stats, 2);
  expect(typeUrl).toBe('io.containerd.cgroups.v2.Metrics');
  const { cpu, memory, pids, io, memoryEvents } = fromBinary(cgroupsV2.MetricsSchema, value);
  expect(cpu).toMatchObject({ usageUsec: 5n, userUsec: 3n, systemUsec: 2n, nrPeriods: 9n, nrThrottled: 2n, throttledUsec: 7n });
  expect(memory).toMatchObject({ anon: 14n, inactiveFile: 13n, usage: 100n, usageLimit: 2n ** 64n - 1n, maxUsage: 200n });
  expect(memory?.swapUsage).toBe(20n);
  expect(memoryEvents).toMatchObject({ max: 1n, oomKill: 4n });
  expect(pids?.current).toBe(3n);
  expect(io?.usage).toMatchObject([{ major: 8n, minor: 0n, rbytes: 512n, wbytes: 1024n, rios: 1n, wios: 2n }]);
});
