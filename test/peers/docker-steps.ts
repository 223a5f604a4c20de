import { expect } from 'bun:test';
import { readlinkSync } from 'node:fs';
import type { Step } from '../e2e/steps/step.ts';
import { busybox } from '../e2e/steps/step.ts';

/** What the runtime alone decides, and the words of its that docker passes on. */
export const runtimeSteps: readonly Step[] = [
  {
    name: 'a command that is missing is 127, one that cannot be executed 126, with a reason',
    async play(session) {
      for (const [command, code] of [
        ['nope', 127],
        ['/nope/x', 127],
        ['/etc/passwd', 126],
        ['/etc', 126],
      ] as const) {
        const name = session.container(`bad${command.replaceAll('/', '-')}`);
        expect((await session.docker(['run', '--name', name, busybox, command])).code).toBe(code);
        await session.ok('inspect', '--format', '{{.State.ExitCode}} {{.State.Error}}', name);
      }
      const runs = session.container('runs');
      await session.ok('run', '-d', '--name', runs, busybox, 'sleep', '1000');
      for (const command of ['nope', '/nope/x', '/etc/passwd', '/etc']) await session.docker(['exec', runs, command]);
      await session.docker(['exec', '--workdir', '/nope', runs, 'true']);
      await session.docker(['exec', '--user', 'nobody-knows', runs, 'true']);
      await session.docker(['run', '--rm', '--workdir', '/made/on/demand', busybox, 'pwd']);
    },
  },
  {
    name: 'namespaces of the host and of another container',
    async play(session) {
      const name = session.container('owner');
      await session.ok('run', '-d', '--name', name, busybox, 'sleep', '1000');
      const pid = await session.pid(name);
      const link = (process: number, kind: string) => readlinkSync(session.engine.world.procPath(process, 'ns', kind));
      const guest = session.container('guest');
      await session.ok(
        'run',
        '-d',
        '--name',
        guest,
        '--network',
        `container:${name}`,
        '--pid',
        `container:${name}`,
        '--ipc',
        'host',
        '--uts',
        'host',
        busybox,
        'sleep',
        '1000',
      );
      const inside = await session.pid(guest);
      expect([link(inside, 'net'), link(inside, 'pid')]).toEqual([link(pid, 'net'), link(pid, 'pid')]);
      expect([link(inside, 'ipc'), link(inside, 'uts')]).not.toEqual([link(pid, 'ipc'), link(pid, 'uts')]);
      await session.ok(
        'run',
        '--rm',
        '--pid',
        'host',
        '--network',
        'host',
        busybox,
        'sh',
        '-c',
        'ps -o args | grep -q "^dockerd" && echo dockerd; ip -o link | wc -l',
      );
      await session.ok('exec', guest, 'ps', '-o', 'user,args');
    },
  },
  {
    name: 'limits follow an update of memory, CPUs and pids, and a restart keeps them',
    async play(session) {
      const name = session.container('changing');
      await session.ok('run', '-d', '--restart', 'always', '--name', name, '--memory', '64m', '--pids-limit', '50', busybox, 'sleep', '1000');
      await session.ok('update', '--memory', '80m', '--memory-swap', '160m', '--cpus', '1.5', '--pids-limit', '60', '--cpuset-cpus', '0', name);
      const show =
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpuset/cpuset.cpus';
      await session.ok('exec', name, 'sh', '-c', show);
      await session.ok('restart', '-t', '0', name);
      await session.ok('exec', name, 'sh', '-c', show);
      await session.docker(['update', '--memory', '4m', '--memory-swap', '1m', name]);
    },
  },
  {
    name: 'a process killed while a command runs in it, and a container killed while paused',
    async play(session) {
      const name = session.container('victim');
      await session.ok('run', '-d', '--name', name, busybox, 'sleep', '1000');
      const command = session.spawn(['exec', name, 'sh', '-c', 'echo in; sleep 1000']);
      await command.output(/in\n/);
      await session.ok('kill', name);
      session.note('the command', (await command.finished).code);
      expect(await session.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', name)).toBe('exited 137');
      const frozen = session.container('icy');
      await session.ok('run', '-d', '--name', frozen, busybox, 'sleep', '1000');
      await session.ok('pause', frozen);
      await session.ok('rm', '-f', frozen);
    },
  },
];
