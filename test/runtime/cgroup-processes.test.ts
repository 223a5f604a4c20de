/** What a cgroup does to all the processes of a container: killing, freezing, the end of memory, and what is below it. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lib/until.ts';
import { cgroupVersion, isFrozen, readCgroup, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const MiB = 1 << 20;

/** Pids in a container's cgroup, as the world counts. */
async function pids(id: string): Promise<number[]> {
  return JSON.parse(await runtime.current.output(['ps', '--format', 'json', id])) as number[];
}

describe('killing', () => {
  test('delete --force takes every process, also one in a session of its own that ignores signals', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process.args = ['sh', '-c', 'for i in 1 2 3; do setsid sh -c "trap : TERM INT HUP; while :; do sleep 100; done" & done; echo up; wait'];
    });
    await until('seven processes', async () => (await pids(container.id)).length === 7);
    const all = await pids(container.id);
    await container.delete(['--force']);
    expect(all.filter((pid) => runtime.current.world.alive(pid))).toEqual([]);
  });

  test('without a pid namespace, kill of the init leaves the others to delete', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
      spec.process.args = ['sh', '-c', 'setsid sleep 777 & exec sleep 778'];
    });
    await until('two processes', async () => (await pids(container.id)).length === 2);
    const all = await pids(container.id);
    await container.kill('KILL');
    await container.ended();
    await container.delete(['--force']);
    expect(all.filter((pid) => runtime.current.world.alive(pid))).toEqual([]);
  });

  test('a paused container can be deleted by force', async () => {
    await using container = await runtime.current.running();
    await runtime.current.output(['pause', container.id]);
    await container.delete(['--force']);
    expect(container.alive).toBe(false);
  });
});

describe('freezing', () => {
  test('holds every process, and exec but with --ignore-paused', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.process.args = ['sh', '-c', 'while :; do echo tick; usleep 20000; done'];
    });
    await until('a tick', () => container.log.length > 0);
    await runtime.current.output(['pause', container.id]);
    expect(isFrozen(container.cgroup)).toBe(true);
    const ticks = container.log;
    const refused = await container.exec(['true']);
    expect(refused).toMatchObject({ code: 255 });
    expect(refused.stderr).toContain('cannot exec in a paused container (use --ignore-paused to override)');
    expect(container.log).toBe(ticks);
    await runtime.current.output(['resume', container.id]);
    await until('another tick', () => container.log.length > ticks.length);
  });
});

describe('the end of memory', () => {
  test('kills in the container alone, is counted, and is 137 outside', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources['memory'] = { limit: 24 * MiB, swap: 24 * MiB };
    });
    // tail keeps what may be the last line: all of an endless one
    const finished = await container.exec(['tail', '/dev/zero']);
    expect(finished.code).toBe(137);
    expect(container.alive).toBe(true);
    const events = readCgroup(container.cgroup, 'memory', 'memory.oom_control', 'memory.events');
    expect(Number(/^oom_kill (\d+)$/m.exec(events)?.[1])).toBeGreaterThan(0);
  });
});

describe('statistics', () => {
  test('count processor time, memory, processes and their limits', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources['memory'] = { limit: 64 * MiB };
      spec.linux.resources['pids'] = { limit: 20 };
    });
    await container.output(['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']);
    const { data } = JSON.parse(await runtime.current.output(['events', '--stats', container.id])) as {
      readonly data: {
        readonly cpu: { readonly usage: { readonly total: number; readonly user: number; readonly kernel: number } };
        readonly memory: { readonly usage: { readonly usage: number; readonly limit: number }; readonly raw: Record<string, number> };
        readonly pids: { readonly current: number; readonly limit: number };
      };
    };
    expect(data.cpu.usage.total).toBeGreaterThan(1_000_000);
    expect(data.cpu.usage.user + data.cpu.usage.kernel).toBeGreaterThan(0);
    expect(data.memory.usage.usage).toBeGreaterThan(0);
    expect(data.memory.usage.limit).toBe(64 * MiB);
    expect(Object.keys(data.memory.raw)).toContain('pgfault');
    expect(data.pids).toEqual({ current: 1, limit: 20 });
  });
});

describe('the view from inside', () => {
  test('a cgroup namespace ends at the container', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources['pids'] = { limit: 33 };
    });
    const own = await container.output(['cat', '/proc/self/cgroup']);
    expect(own.split('\n').map((line) => line.split(':').slice(2).join(':'))).toEqual(own.split('\n').map(() => '/'));
    expect(await container.output(['sh', '-c', 'cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null || true'])).toBe('33');
    const refused = await container.exec(['sh', '-c', 'mkdir /sys/fs/cgroup/made /sys/fs/cgroup/pids/made']);
    expect(refused.stderr).toContain('Read-only file system');
  });

  // what cAdvisor and the like look for with Docker's --cgroupns=host: v1 has one directory a hierarchy, v2 the tree of the host
  test(`without one, the mount shows ${cgroupVersion === 'v2' ? 'the whole tree' : 'the container alone'}`, async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
      spec.linux.resources['pids'] = { limit: 34 };
    });
    const own = await container.output(['cat', '/proc/self/cgroup']);
    const path = own.split('\n').at(-1)?.split(':')[2] ?? '';
    expect(path).toEndWith(`/${container.id}`);
    const file = cgroupVersion === 'v2' ? `/sys/fs/cgroup${path}/pids.max` : '/sys/fs/cgroup/pids/pids.max';
    expect(await container.output(['cat', file])).toBe('34');
  });

  test('a writable mount lets the container nest cgroups, which go with it', async () => {
    const made = await runtime.current.shell(
      `
cd /sys/fs/cgroup
if [ -e cgroup.controllers ]; then
  mkdir leaf
  echo $$ >leaf/cgroup.procs
  for controller in $(cat cgroup.controllers); do echo "+$controller" >cgroup.subtree_control; done
  mkdir nested nested/deep
  echo 5 >nested/pids.max
else
  cd pids
  mkdir nested nested/deep
  echo 5 >nested/pids.max
fi
echo $$ >nested/cgroup.procs
cat nested/pids.max
sed -n 's/.*nested/nested/p' /proc/self/cgroup | uniq`,
      (spec) => {
        const mount = spec.mounts.find(({ type }) => type === 'cgroup');
        if (mount) mount.options = ['nosuid', 'noexec', 'nodev', 'relatime'];
      },
    );
    expect(made).toBe('5\nnested');
  });

  test('exec goes into the cgroup in which the init was put', async () => {
    await using container = await runtime.current.running();
    const [path] = [...container.cgroup.directories.values()];
    expect(
      readFileSync(join(path ?? '', 'cgroup.procs'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(1);
    const inside = await container.output(['cat', '/proc/self/cgroup', '/proc/1/cgroup']);
    const lines = inside.split('\n');
    expect(lines.slice(0, lines.length / 2)).toEqual(lines.slice(lines.length / 2));
  });
});
