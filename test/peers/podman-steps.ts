import { expect } from 'bun:test';
import { busybox } from '../e2e/steps/step.ts';
import { until } from '../lib/until.ts';
import type { Client, PeerStep } from './client.ts';

/** A container's name; it is removed with the step. */
function named(client: Client, name: string): readonly string[] {
  client.onEnd(() => client.quiet(['rm', '--force', '--time', '0', '--ignore', name]));
  return ['--name', name];
}

const detached = (client: Client, name: string, flags: readonly string[], ...command: readonly string[]) =>
  client.ok('run', '-d', ...named(client, name), '--network', 'none', ...flags, busybox, ...command);
const shell = (client: Client, flags: readonly string[], script: string) =>
  client.run(['run', '--rm', '--network', 'none', ...flags, busybox, 'sh', '-c', script]);

export const commonSteps: readonly PeerStep[] = [
  {
    name: 'run --rm: output, exit codes, input, environment, directory, user, hostname',
    async play(client) {
      await shell(client, [], 'echo out; echo err >&2; exit 7');
      await shell(client, ['--env', 'A=b', '--workdir', '/tmp', '--user', '33:50', '--hostname', 'h1'], 'echo $A; pwd; id; hostname');
      await shell(client, [], 'kill -9 $$');
      await client.run(['run', '--rm', '-i', '--network', 'none', busybox, 'wc', '-c'], { stdin: 'x'.repeat(70_000) });
      await shell(client, ['--init'], 'ps -o pid,args | head -3 | cut -c1-20; sleep 0.1 & wait');
      await shell(client, ['--workdir', '/made/on/demand'], 'pwd');
    },
  },
  {
    name: 'detached: logs, exec in its forms, top, inspect, stop, start, restart, kill, wait',
    async play(client) {
      await detached(client, 'long', [], 'sh', '-c', "trap 'echo term; exit 12' TERM; echo up; while :; do sleep 0.1; done");
      await until('its first line', async () => (await client.quiet(['logs', 'long'])).stdout === 'up\n');
      await client.run(['exec', 'long', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
      await client.run(['exec', '--user', '33', '--env', 'A=b', '--workdir', '/tmp', 'long', 'sh', '-c', 'id -u; echo $A; pwd']);
      await client.run(['exec', '-i', 'long', 'wc', '-c'], { stdin: 'hello' });
      await client.run(['exec', '-t', 'long', 'sh', '-c', 'test -t 1 && echo terminal']);
      await client.ok('exec', '-d', 'long', 'touch', '/made');
      await until('the file of exec -d', async () => (await client.quiet(['exec', 'long', 'test', '-e', '/made'])).code === 0);
      await detached(client, 'still', [], 'sleep', '1000');
      await client.run(['top', 'still', 'user', 'pid', 'args']);
      await client.ok('inspect', '--format', '{{.State.Status}} {{.State.Running}} {{.State.OOMKilled}}', 'long');
      await client.ok('stop', '--time', '5', 'long');
      await client.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'long');
      await client.run(['exec', 'long', 'true']);
      await client.ok('start', 'long');
      await client.ok('restart', '--time', '1', 'long');
      await client.ok('kill', '--signal', 'KILL', 'long');
      expect(await client.ok('wait', 'long')).toBe('137');
      await until('its clean-up', async () => (await client.quiet(['inspect', '--format', '{{.State.Status}}', 'long'])).stdout === 'exited\n');
      await client.run(['kill', 'long']);
    },
  },
  {
    name: 'commands that are missing or cannot be executed',
    async play(client) {
      for (const command of ['nope', '/nope/x', '/etc/passwd', '/etc']) await client.run(['run', '--rm', '--network', 'none', busybox, command]);
      await detached(client, 'runs', [], 'sleep', '1000');
      for (const command of ['nope', '/nope/x', '/etc/passwd', '/etc']) await client.run(['exec', 'runs', command]);
      await client.run(['exec', '--workdir', '/nope', 'runs', 'true']);
    },
  },
  {
    name: 'mounts: a bind, a tmpfs, a volume, a read-only root',
    async play(client) {
      await shell(client, ['-v', `${client.work}/shared:/mnt:ro`], 'touch /mnt/x; grep -c " /mnt " /proc/mounts');
      await shell(client, ['--tmpfs', '/scratch:size=64k,mode=1777'], 'df /scratch | tail -1; stat -c %a /scratch');
      await shell(client, ['--read-only'], 'touch /x; touch /tmp/y && echo tmp');
      client.onEnd(() => client.quiet(['volume', 'rm', '--force', 'v1']));
      await shell(client, ['-v', 'v1:/data'], 'echo kept > /data/x');
      await shell(client, ['-v', 'v1:/data'], 'cat /data/x');
      await shell(client, ['--mount', 'type=tmpfs,destination=/m,tmpfs-size=64k'], 'grep " /m " /proc/mounts | cut -d" " -f3');
    },
  },
  {
    name: 'capabilities, seccomp, no-new-privileges, sysctl, ulimit, privileged, namespaces of the host',
    async play(client) {
      await shell(client, [], 'grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status');
      await shell(client, ['--cap-drop', 'ALL', '--cap-add', 'NET_BIND_SERVICE'], 'grep CapEff /proc/self/status');
      await shell(client, ['--security-opt', 'seccomp=unconfined', '--security-opt', 'no-new-privileges'], 'grep -E "^(NoNew|Seccomp:)" /proc/self/status');
      await shell(client, ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=99'], 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start');
      await shell(client, ['--ulimit', 'nofile=64:64'], 'ulimit -n');
      await shell(client, ['--privileged'], 'grep CapEff /proc/self/status; grep -c " /sys " /proc/mounts');
      // Without a cgroup both warn of what they may leave, each in its log's way.
      const { code, stdout } = await client.quiet([
        'run',
        '--rm',
        '--network',
        'none',
        '--pid',
        'host',
        busybox,
        'sh',
        '-c',
        'ps -o args | grep -q "^conmon\\|/conmon" && echo host',
      ]);
      client.note('--pid host', { code, stdout });
      await client.run(['run', '--rm', '--network', 'host', busybox, 'sh', '-c', 'ip -o link | wc -l']);
      await shell(client, ['--device', '/dev/full'], 'ls -l /dev/full | cut -c1-10');
      await shell(client, ['--oom-score-adj', '700'], 'cat /proc/self/oom_score_adj');
    },
  },
];

export const rootSteps: readonly PeerStep[] = [
  {
    name: 'limits, an update of them, statistics, pause and unpause',
    async play(client) {
      await detached(client, 'limited', ['--memory', '64m', '--pids-limit', '50', '--cpus', '0.5'], 'sleep', '1000');
      const show = 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us';
      await client.ok('exec', 'limited', 'sh', '-c', show);
      await client.ok('update', '--memory', '80m', '--memory-swap', '160m', '--pids-limit', '60', '--cpus', '1.5', 'limited');
      await client.ok('exec', 'limited', 'sh', '-c', show);
      client.note('stats', (await client.quiet(['stats', '--no-stream', '--format', '{{.PIDs}}', 'limited'])).code);
      await client.ok('pause', 'limited');
      await client.ok('inspect', '--format', '{{.State.Status}}', 'limited');
      await client.run(['exec', 'limited', 'true']);
      await client.ok('unpause', 'limited');
      await client.ok('exec', 'limited', 'echo', 'awake');
    },
  },
  {
    name: 'the OOM killer: 137 and OOMKilled',
    async play(client) {
      await client.run(['run', ...named(client, 'greedy'), '--network', 'none', '--memory', '16m', busybox, 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M']);
      await client.ok('inspect', '--format', '{{.State.ExitCode}} {{.State.OOMKilled}}', 'greedy');
    },
  },
  {
    name: 'a user namespace: --uidmap, --userns=auto is not needed for it',
    async play(client) {
      await shell(
        client,
        ['--uidmap', '0:100000:1000', '--gidmap', '0:200000:1000'],
        'cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /x && stat -c "%u %g" /x',
      );
      await shell(client, ['--uidmap', '0:100000:1000', '--user', '33'], 'id -u');
    },
  },
];

export const rootlessSteps: readonly PeerStep[] = [
  {
    name: 'user namespaces: the own one, keep-id, a map, nomap',
    async play(client) {
      await shell(client, [], 'cat /proc/self/uid_map /proc/self/gid_map; id; touch /x && stat -c "%u %g" /x');
      await shell(client, ['--userns', 'keep-id'], 'id; cat /proc/self/uid_map');
      await shell(client, ['--userns', 'nomap'], 'id -u; cat /proc/self/uid_map');
      await shell(client, ['--uidmap', '0:1:1000', '--gidmap', '0:1:1000'], 'id -u; cat /proc/self/uid_map');
      await detached(client, 'kept', ['--userns', 'keep-id'], 'sleep', '1000');
      await client.run(['exec', 'kept', 'id']);
      await client.run(['exec', '--user', '0', 'kept', 'id']);
    },
  },
  {
    name: 'what cannot be had without cgroups',
    async play(client) {
      await shell(client, ['--memory', '64m'], 'echo ignored');
      await detached(client, 'free', [], 'sleep', '1000');
      await client.run(['pause', 'free']);
      await client.run(['stop', '--time', '0', 'free']);
      await client.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'free');
    },
  },
  {
    name: 'the cgroups of the host cannot be written (CVE-2023-25809)',
    async play(client) {
      await shell(client, [], 'for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/escape 2>&1 | sed "s/.*: //"; done | sort -u');
    },
  },
];
