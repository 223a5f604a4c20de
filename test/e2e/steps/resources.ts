import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../../lib/session.ts';
import { until } from '../../lib/until.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

/** The value of a cgroup file of a running container, from the hierarchy of a v1 controller. */
async function limit(session: Session, container: string, controller: string, file: string): Promise<string> {
  const dir = session.engine.world.cgroupOf(await session.pid(container), controller);
  return readFileSync(join(dir, file), 'utf8').trim();
}

/** Wants more memory than there is, in one piece. */
const hungry = 'dd if=/dev/zero of=/dev/null bs=200M';

export const resourceSteps: readonly Step[] = [
  {
    name: '--memory: the limit is set, and the OOM killer is reported',
    async play(session) {
      const name = session.container('limited');
      await session.ok('run', '-d', '--memory', '64m', '--memory-reservation', '32m', '--name', name, busybox, 'sleep', '1000');
      expect(await limit(session, name, 'memory', 'memory.limit_in_bytes')).toBe('67108864');
      expect(await limit(session, name, 'memory', 'memory.soft_limit_in_bytes')).toBe('33554432');
      await session.ok('inspect', '--format', '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}}', name);
      const killed = await session.docker(['run', '--rm', '--memory', '64m', busybox, 'sh', '-c', `exec ${hungry}`]);
      expect(killed.code).toBe(137);
      const greedy = session.container('greedy');
      const waits = (path: string) => `until [ -e ${path} ]; do sleep 0.01; done`;
      await session.ok('run', '-d', '--memory', '64m', '--name', greedy, busybox, 'sh', '-c', `${waits('/go')}; exec ${hungry}`);
      await session.ok('exec', '-d', greedy, 'touch', '/go');
      expect(await session.ok('wait', greedy)).toBe('137');
      expect(await session.ok('inspect', '--format', '{{.State.ExitCode}}', greedy)).toBe('137');
      // containerd's shim says nothing where the cgroup has gone before it looks: that it does not hear of its own end is not to be compared.
      const wasKilled = async (name: string) => (await session.quiet('inspect', '--format', '{{.State.OOMKilled}}', name)) === 'true';
      if (session.engine.name === 'strake') expect(await wasKilled(greedy)).toBe(true);
      const parent = session.container('parent');
      await session.ok('run', '-d', '--memory', '64m', '--name', parent, busybox, 'sh', '-c', `${waits('/go')}; ${hungry}; ${waits('/end')}; exit 9`);
      await session.ok('exec', parent, 'touch', '/go');
      await until('the killer to be reported', async () => await wasKilled(parent));
      await session.ok('exec', '-d', parent, 'touch', '/end');
      expect(await session.ok('wait', parent)).toBe('9');
      await session.ok('inspect', '--format', '{{.State.OOMKilled}} {{.State.ExitCode}}', parent);
      const now = String(Math.floor(Date.now() / 1000) + 1);
      session.note('events', await session.quiet('events', '--since', '1h', '--until', now, '--filter', `container=${parent}`, '--format', '{{.Action}}'));
      await session.docker(['run', '--rm', '--memory', '1m', busybox, 'true']);
    },
  },
  {
    name: '--cpus, --cpu-shares, --cpuset-cpus, --blkio-weight',
    async play(session) {
      const name = session.container('slow');
      await session.ok('run', '-d', '--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '0', '--name', name, busybox, 'sleep', '1000');
      expect(await limit(session, name, 'cpu', 'cpu.cfs_quota_us')).toBe('50000');
      expect(await limit(session, name, 'cpu', 'cpu.cfs_period_us')).toBe('100000');
      expect(await limit(session, name, 'cpu', 'cpu.shares')).toBe('512');
      expect(await limit(session, name, 'cpuset', 'cpuset.cpus')).toBe('0');
      await session.ok('inspect', '--format', '{{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}', name);
      await session.docker(['run', '--rm', '--cpus', '1000', busybox, 'true']);
      await session.docker(['run', '--rm', '--cpuset-cpus', '99', busybox, 'true']);
    },
  },
  {
    name: '--pids-limit stops a fork bomb',
    async play(session) {
      const name = session.container('few');
      await session.ok('run', '-d', '--pids-limit', '20', '--name', name, busybox, 'sleep', '1000');
      expect(await limit(session, name, 'pids', 'pids.max')).toBe('20');
      const bomb = await session.engine.docker(['exec', name, 'sh', '-c', 'i=0; while [ $i -lt 40 ]; do sleep 100 & i=$((i+1)); done']);
      expect(bomb.stderr).toMatch(/fork|Resource temporarily unavailable/);
    },
  },
  {
    name: 'update changes the limits of a running container',
    async play(session) {
      const name = session.container('updated');
      await session.ok('run', '-d', '--memory', '64m', '--name', name, busybox, 'sleep', '1000');
      await session.ok('update', '--memory', '96m', '--memory-swap', '128m', '--cpu-shares', '256', '--pids-limit', '33', name);
      expect(await limit(session, name, 'memory', 'memory.limit_in_bytes')).toBe('100663296');
      expect(await limit(session, name, 'cpu', 'cpu.shares')).toBe('256');
      expect(await limit(session, name, 'pids', 'pids.max')).toBe('33');
      await session.ok('inspect', '--format', '{{.HostConfig.Memory}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}}', name);
      await session.ok('update', '--restart', 'unless-stopped', name);
      await session.ok('inspect', '--format', '{{.HostConfig.RestartPolicy.Name}}', name);
    },
  },
  {
    name: '--ulimit, --sysctl, --shm-size, --oom-score-adj',
    async play(session) {
      await session.ok('run', '--rm', '--ulimit', 'nofile=100:200', '--ulimit', 'core=0', busybox, 'sh', '-c', 'ulimit -Sn; ulimit -Hn; ulimit -c');
      await session.ok(
        'run',
        '--rm',
        '--sysctl',
        'net.ipv4.ip_unprivileged_port_start=1234',
        '--sysctl',
        'kernel.msgmax=4096',
        busybox,
        'cat',
        '/proc/sys/net/ipv4/ip_unprivileged_port_start',
        '/proc/sys/kernel/msgmax',
      );
      await session.ok('run', '--rm', '--shm-size', '8m', busybox, 'df', '-k', '/dev/shm');
      await session.ok('run', '--rm', '--oom-score-adj', '500', busybox, 'cat', '/proc/self/oom_score_adj');
      await session.docker(['run', '--rm', '--sysctl', 'kernel.hostname=x', busybox, 'true']);
      await session.docker(['run', '--rm', '--sysctl', 'kernel.panic=1', busybox, 'true']);
    },
  },
  {
    name: 'stats and top of a running container',
    async play(session) {
      const name = session.container('busy');
      await session.ok('run', '-d', '--memory', '64m', '--name', name, busybox, 'sh', '-c', 'sleep 1000 & exec sleep 2000');
      session.note('top -o', (await session.quiet('top', name, '-o', 'pid,comm,args')).replace(/^\d+ */gm, '').replace(/ +/g, ' '));
      const top = await session.quiet('top', name);
      expect(top.split('\n')[0]?.split(/\s+/)).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
      expect(top).toContain(` ${await session.pid(name)} `);
      const stats = JSON.parse(await session.quiet('stats', '--no-stream', '--format', 'json', name)) as Record<string, string>;
      session.note('stats keys', Object.keys(stats).sort());
      expect(stats).toMatchObject({ Name: name, PIDs: '2' });
      expect(stats['MemUsage']).toMatch(/^\d+(\.\d+)?[KM]iB \/ 64MiB$/);
      await session.docker(['top', 'absent']);
      await session.docker(['stats', '--no-stream', 'absent']);
    },
  },
];
