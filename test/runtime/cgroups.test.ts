/** Where a container's cgroup is, who else may be in it, what update and events say of it, and how little memory a start needs. */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../lib/until.ts';
import { cgroupFile, cgroupVersion, readCgroup, type TestSpec, useRuntimeWorld } from './lib/index.ts';

const runtime = useRuntimeWorld();
const MiB = 1 << 20;

const withPath = (cgroupsPath: string) => (spec: TestSpec) => {
  spec.linux['cgroupsPath'] = cgroupsPath;
};

/** Takes away the cgroups that a test has made above a container's. */
async function removeCgroups(...paths: readonly string[]): Promise<void> {
  for (const path of paths) await runtime.current.world.output(['sh', '-c', 'find /sys/fs/cgroup -depth -type d -path "*/$0" -exec rmdir {} \\;', path]);
}

describe('cgroupsPath', () => {
  test.each([
    { form: 'absolute', given: '/strake-abs/inner', expected: '/strake-abs/inner' },
    { form: 'relative', given: 'strake-rel/inner', expected: '/strake-rel/inner' },
    { form: 'one that would lead out', given: '../../strake-out/inner', expected: '/strake-out/inner' },
  ])('$form', async ({ given, expected }) => {
    {
      await using container = await runtime.current.running(withPath(given));
      const lines = container.proc('cgroup').trim().split('\n');
      expect(lines.every((line) => line.endsWith(expected))).toBe(true);
    }
    await removeCgroups(expected.split('/')[1] ?? '');
  });

  test('none: the id, below the cgroup of the runtime itself on v1 and beside it on v2', async () => {
    const bundle = runtime.current.bundle();
    const argv = runtime.current.argv(['run', '--detach', '--bundle', bundle.dir, 'test-own-cgroup']);
    const controller = cgroupVersion === 'v2' ? '' : 'pids/';
    const script = `set -e
mkdir -p /sys/fs/cgroup/${controller}strake-own/leaf
echo $$ >/sys/fs/cgroup/${controller}strake-own/leaf/cgroup.procs
"$@" </dev/null >/dev/null 2>&1`;
    await runtime.current.world.output(['sh', '-c', script, 'sh', ...argv]);
    const { pid } = JSON.parse(await runtime.current.output(['state', 'test-own-cgroup'])) as { readonly pid: number };
    const line = /^\d+:(?:pids)?:(.*)$/m.exec(
      runtime.current.world
        .proc(pid, 'cgroup')
        .split('\n')
        .filter((text) => cgroupVersion === 'v2' || text.includes(':pids:'))
        .join('\n'),
    )?.[1];
    expect(line).toEndWith(cgroupVersion === 'v2' ? '/strake-own/test-own-cgroup' : '/strake-own/leaf/test-own-cgroup');
    await runtime.current.output(['delete', '--force', 'test-own-cgroup']);
    await removeCgroups('strake-own/leaf', 'strake-own');
  });

  test.each([
    { what: 'systemd’s form', patch: withPath('system.slice:strake:x'), flags: [], error: "has systemd's form slice:prefix:name" },
    { what: 'the root', patch: withPath('/'), flags: [], error: 'invalid cgroup path' },
    { what: '--systemd-cgroup', patch: undefined, flags: ['--systemd-cgroup'], error: 'systemd not running on this host, cannot use systemd cgroups manager' },
    { what: 'an unknown manager', patch: undefined, flags: ['--cgroup-manager=x'], error: ': one of cgroupfs, disabled, systemd' },
  ])('refused: $what', async ({ patch, flags, error }) => {
    const { code, stderr } = await runtime.current.runtime([...flags, 'run', '--bundle', runtime.current.bundle(patch).dir, 'test-refused']);
    expect(code).toBe(1);
    expect(stderr).toContain(error);
  });

  test('--cgroup-manager=disabled: the container stays where the runtime is', async () => {
    const bundle = runtime.current.bundle((spec) => {
      spec.process.args = ['cat', '/proc/self/cgroup'];
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'cgroup');
    });
    const own = await runtime.current.world.output(['cat', '/proc/self/cgroup']);
    expect(await runtime.current.output(['--cgroup-manager=disabled', 'run', '--bundle', bundle.dir, 'test-disabled'])).toBe(own);
  });
});

describe('a cgroup that is there already', () => {
  test('with processes: no second container', async () => {
    await using container = await runtime.current.running(withPath('/strake-shared'));
    const bundle = runtime.current.bundle(withPath('/strake-shared'));
    const { code, stderr } = await runtime.current.runtime(['run', '--bundle', bundle.dir, 'test-second']);
    expect(code).toBe(1);
    expect(stderr).toContain("runc run failed: container's cgroup is not empty: 1 process(es) found");
    expect(container.alive).toBe(true);
    expect((await runtime.current.runtime(['state', 'test-second'])).stderr).toContain('container does not exist');
  });

  test('frozen: no container', async () => {
    const [dir, file, frozen] = cgroupVersion === 'v2' ? ['strake-ice', 'cgroup.freeze', '1'] : ['freezer/strake-ice', 'freezer.state', 'FROZEN'];
    await runtime.current.world.output(['sh', '-c', `mkdir /sys/fs/cgroup/${dir} && echo ${frozen} >/sys/fs/cgroup/${dir}/${file}`]);
    const bundle = runtime.current.bundle(withPath('/strake-ice'));
    const { code, stderr } = await runtime.current.runtime(['run', '--bundle', bundle.dir, 'test-ice']);
    expect(code).toBe(1);
    expect(stderr).toContain("container's cgroup unexpectedly frozen");
    await removeCgroups('strake-ice');
  });
});

test.each([4096, 1024, 512])('a container starts with a memory limit of %i KiB', async (kilobytes) => {
  const { code, stdout, stderr } = await runtime.current.run((spec) => {
    spec.process.args = ['echo', 'small'];
    spec.linux.resources['memory'] = { limit: kilobytes * 1024 };
  });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'small\n', stderr: '' });
});

describe('kill', () => {
  const stubborn = (spec: TestSpec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
    spec.process.args = ['sh', '-c', 'setsid sleep 777 & exec sleep 778'];
  };
  const pids = async (id: string) => JSON.parse(await runtime.current.output(['ps', '--format', 'json', id])) as number[];

  test('KILL ends every process where the container has no pid namespace of its own, also after its first one', async () => {
    await using container = await runtime.current.running(stubborn);
    await until('two processes', async () => (await pids(container.id)).length === 2);
    const all = await pids(container.id);
    await runtime.current.world.output(['kill', '-9', String(container.pid)]);
    await container.ended();
    await container.kill('KILL');
    await until('all to be gone', () => !all.some((pid) => runtime.current.world.alive(pid)));
    expect((await runtime.current.runtime(['kill', container.id, 'TERM'])).stderr).toContain('container not running');
  });

  test('--all signals each process, in cgroups below too, and is content with none', async () => {
    await using container = await runtime.current.running((spec) => {
      stubborn(spec);
      const mount = spec.mounts.find(({ type }) => type === 'cgroup');
      if (mount) mount.options = ['nosuid', 'noexec', 'nodev', 'relatime'];
      const nested = cgroupVersion === 'v2' ? '/sys/fs/cgroup/nested' : '/sys/fs/cgroup/pids/nested';
      spec.process.args = ['sh', '-c', `mkdir ${nested} && (echo 0 >${nested}/cgroup.procs; exec sleep 777) & exec sleep 778`];
    });
    await until('two processes', async () => (await pids(container.id)).length === 2);
    const all = await pids(container.id);
    await container.kill('TERM', ['--all']);
    await until('all to be gone', () => !all.some((pid) => runtime.current.world.alive(pid)));
    await container.kill('TERM', ['--all']);
  });
});

describe('update', () => {
  test('what is not given stays: the other half of quota and period', async () => {
    await using container = await runtime.current.create((spec) => {
      spec.linux.resources['cpu'] = { quota: 50_000, period: 100_000 };
    });
    const cpu = () =>
      cgroupVersion === 'v2'
        ? readCgroup(container.cgroup, 'cpu', '', 'cpu.max')
        : `${readCgroup(container.cgroup, 'cpu', 'cpu.cfs_quota_us', '')} ${readCgroup(container.cgroup, 'cpu', 'cpu.cfs_period_us', '')}`;
    await runtime.current.output(['update', container.id, '--cpu-period', '200000']);
    expect(cpu()).toBe('50000 200000');
    await runtime.current.output(['update', container.id, '--cpu-quota', '60000']);
    expect(cpu()).toBe('60000 200000');
  });

  test('sizes with units, and -1', async () => {
    await using container = await runtime.current.create();
    const limit = () => readCgroup(container.cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max');
    const unlimited = limit();
    await runtime.current.output(['update', '--memory', '50M', container.id]);
    expect(limit()).toBe(String(50 * MiB));
    await runtime.current.output(['update', '--memory', '-1', container.id]);
    expect(limit()).toBe(unlimited);
  });

  test('a file of resources, whose names may be in any case', async () => {
    await using container = await runtime.current.create();
    const resources = JSON.stringify({ CPU: { Shares: 512 }, pids: { limit: 11 } });
    await runtime.current.output(['update', '--resources', '-', container.id], { stdin: resources });
    expect(readCgroup(container.cgroup, 'cpu', 'cpu.shares', 'cpu.weight')).toBe(cgroupVersion === 'v2' ? '59' : '512');
    expect(readCgroup(container.cgroup, 'pids', 'pids.max', 'pids.max')).toBe('11');
  });

  test('checkBeforeUpdate: a limit below the use is refused, and the container lives', async () => {
    await using container = await runtime.current.running();
    const resources = JSON.stringify({ memory: { limit: 4096, checkBeforeUpdate: true } });
    const { code, stderr } = await runtime.current.runtime(['update', '--resources', '-', container.id], { stdin: resources });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      cgroupVersion === 'v2' ? /rejecting memory limit 4096 <= usage \d+/ : /unable to set memory limit to 4096 \(current usage: \d+, peak usage: \d+\)/,
    );
    expect(container.alive).toBe(true);
  });

  test.each([
    { flags: ['--cpu-idle', '2'], error: 'cpu.idle' },
    { flags: ['--cpu-share', '1'], error: 'the minimum allowed cpu-shares is 2' },
    { flags: ['--memory', '1x'], error: "invalid value for memory: invalid size: '1x'" },
    { flags: ['--l3-cache-schema', 'L3:0=f'], error: 'Intel RDT/CAT: l3 cache schema is not enabled' },
    { flags: ['--mem-bw-schema', 'MB:0=10'], error: 'Intel RDT/MBA: memory bandwidth schema is not enabled' },
  ])('refused: $flags', async ({ flags, error }) => {
    await using container = await runtime.current.create();
    const { code, stderr } = await runtime.current.runtime(['update', ...flags, container.id]);
    expect(code).toBe(1);
    expect(stderr).toContain(error);
  });
});

describe('events', () => {
  test('statistics at each interval, an end for lack of memory, and the end of the container', async () => {
    await using container = await runtime.current.running((spec) => {
      spec.linux.resources['memory'] = { limit: 24 * MiB, swap: 24 * MiB };
    });
    const events = runtime.current.spawn(['events', '--interval', '200ms', container.id]);
    await events.output(/^\{"type":"stats","id":"test-[^\n]*"data":\{"cpu"[^\n]*\}$/m);
    // tail keeps what may be the last line: all of an endless one
    expect((await container.exec(['tail', '/dev/zero'])).code).toBe(137);
    await events.output(/^\{"type":"oom","id":"test-\w+"\}$/m);
    await container.delete(['--force']);
    expect((await events.finished).code).toBe(0);
  });

  test('the shape of the statistics', async () => {
    await using container = await runtime.current.running();
    const { data } = JSON.parse(await runtime.current.output(['events', '--stats', container.id])) as { readonly data: Record<string, unknown> };
    expect(Object.keys(data)).toEqual(['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces']);
    expect(data['intel_rdt']).toEqual({});
    expect(data['network_interfaces']).toBe(null);
  });

  test('of a stopped container there are none', async () => {
    await using container = await runtime.current.create();
    await container.kill('KILL');
    await container.ended();
    const { code, stderr } = await runtime.current.runtime(['events', '--stats', container.id]);
    expect(code).toBe(1);
    expect(stderr).toContain(`container with id ${container.id} is not running`);
  });
});

if (cgroupVersion === 'v2')
  test('exec follows an init that handed its controllers on, to where that is', async () => {
    await using container = await runtime.current.running((spec) => {
      const mount = spec.mounts.find(({ type }) => type === 'cgroup');
      if (mount) mount.options = ['nosuid', 'noexec', 'nodev', 'relatime'];
      spec.process.args = [
        'sh',
        '-c',
        'cd /sys/fs/cgroup && mkdir leaf && echo 0 >leaf/cgroup.procs && echo +memory >cgroup.subtree_control && echo up; exec sleep 1000',
      ];
    });
    await until('the init to have moved', () => container.log.includes('up'));
    expect(await container.output(['cat', '/proc/self/cgroup'])).toBe('0::/leaf');
  });
else
  test('exec joins each hierarchy of the container', async () => {
    await using container = await runtime.current.running();
    const file = cgroupFile(container.cgroup, 'pids', 'cgroup.procs', 'cgroup.procs');
    await container.exec(['sh', '-c', 'sleep 1000 >/dev/null 2>&1 &']);
    expect(readFileSync(join(file), 'latin1').trim().split('\n')).toHaveLength(2);
  });
