/** The v1 hierarchies that few machines mount: the test mounts them in its world, and they are gone from the kernel afterwards. Where v1 is off, their limits are refused. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchies } from '../lib/cgroups.ts';
import { run } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import { cgroupVersion, readCgroup, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const controllers = ['net_cls', 'net_prio', 'perf_event', 'hugetlb'] as const;
const MiB = 1 << 20;

/** A cgroup path that no other run has: these hierarchies are one for all worlds. */
const cgroupsPath = `/strake-hierarchies-${process.pid}`;
const mounted: string[] = [];
let before = '';

/** Lines of /proc/cgroups of our controllers: name and number of the hierarchy, 0 for none (or v2). */
function hierarchyNumbers(): string {
  const lines = readFileSync('/proc/cgroups', 'utf8').split('\n');
  return lines
    .map((line) => line.split('\t').slice(0, 2).join(' '))
    .filter((line) => controllers.some((name) => line.startsWith(`${name} `)))
    .join('\n');
}

/** What v2 has given to a cgroup below its root cannot be mounted as v1. */
function isBusyOnV2(controller: string): boolean {
  return hierarchies().some(
    ({ type, path }) => type === 'cgroup2' && readFileSync(join(path, 'cgroup.subtree_control'), 'utf8').split(/\s/).includes(controller),
  );
}

async function mountAll(): Promise<void> {
  const { world } = runtime.current;
  before = hierarchyNumbers();
  for (const controller of controllers.filter((name) => !isBusyOnV2(name))) {
    const dir = join(world.work, 'hierarchies', controller);
    mkdirSync(dir, { recursive: true });
    // in the world's mount namespace, but not in its cgroup namespace: only the first one may make a hierarchy (cgroup1_root_to_use)
    const finished = await run(['nsenter', '-t', String(world.pid), '-m', '--', 'mount', '-t', 'cgroup', '-o', controller, 'cgroup', dir]);
    if (finished.code !== 0) throw new Error(finished.stderr);
    mounted.push(controller);
  }
  runtime.current.acceptPresent();
}

/** The kernel drops a hierarchy at its last unmount, but only if no cgroup of it is left, not even one that is being taken apart (cgroup_kill_sb). */
async function unmountAll(): Promise<void> {
  const { world } = runtime.current;
  for (const controller of mounted) {
    await until(`the cgroups of ${controller} to be gone`, () => new RegExp(`^${controller}\\t\\d+\\t1\\t`, 'm').test(readFileSync('/proc/cgroups', 'utf8')));
    await world.output(['umount', join(world.work, 'hierarchies', controller)]);
  }
  await until('the hierarchies to be gone', () => hierarchyNumbers() === before);
}

if (cgroupVersion === 'v2') {
  test.each([
    { field: 'network.classID', network: { classID: 0x10_0001 } },
    { field: 'network.priorities', network: { priorities: [{ name: 'lo', priority: 5 }] } },
  ])('$field is refused', async ({ field, network }) => {
    const refused = await runtime.current.run((spec) => {
      spec.linux.resources['network'] = network;
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`linux.resources.${field}: cgroup v2 cannot do this`);
  });
} else {
  describe('limits of hierarchies that a person has mounted', () => {
    beforeAll(mountAll);
    afterAll(unmountAll);

    test('the init is in each, with its limits, and they go with it', async () => {
      await using container = await runtime.current.create((spec) => {
        spec.linux['cgroupsPath'] = cgroupsPath;
        spec.linux.resources['network'] = { classID: 0x10_0001, priorities: [{ name: 'lo', priority: 5 }] };
        if (mounted.includes('hugetlb')) spec.linux.resources['hugepageLimits'] = [{ pageSize: '2MB', limit: 4 * MiB }];
      });
      const paths = container.proc('cgroup').split('\n');
      for (const controller of mounted) expect(paths.find((line) => line.includes(`:${controller}:`))).toEndWith(`:${cgroupsPath}`);
      expect(readCgroup(container.cgroup, 'net_cls', 'net_cls.classid', '')).toBe(String(0x10_0001));
      expect(readCgroup(container.cgroup, 'net_prio', 'net_prio.ifpriomap', '')).toContain('lo 5');
      if (mounted.includes('hugetlb')) {
        expect(readCgroup(container.cgroup, 'hugetlb', 'hugetlb.2MB.limit_in_bytes', '')).toBe(String(4 * MiB));
        expect(readCgroup(container.cgroup, 'hugetlb', 'hugetlb.2MB.rsvd.limit_in_bytes', '')).toBe(String(4 * MiB));
      }
      await container.start();
      const inside = await container.output(['ls', '/sys/fs/cgroup']);
      for (const controller of mounted) expect(inside.split('\n')).toContain(controller);
      expect(await container.output(['cat', '/proc/self/cgroup'])).toContain(':net_cls:/');
    });

    test('exec joins them', async () => {
      await using container = await runtime.current.running((spec) => {
        spec.linux['cgroupsPath'] = cgroupsPath;
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
      });
      const own = await container.output(['cat', '/proc/self/cgroup']);
      for (const controller of mounted) expect(own).toMatch(new RegExp(`:${controller}:${cgroupsPath}$`, 'm'));
    });
  });
}
