import { expect } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../lib/until.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

export const lifecycleSteps: readonly Step[] = [
  {
    name: 'run -d, logs, logs -f, tail, since, timestamps',
    async play(session) {
      const name = session.container('logger');
      const id = await session.ok(
        'run',
        '-d',
        '--name',
        name,
        busybox,
        'sh',
        '-c',
        'for i in 1 2 3; do echo line $i; done; sleep 0.3; echo err >&2; sleep 0.3; while [ ! -e /go ]; do usleep 10000; done; echo last; exit 4',
      );
      expect(id).toMatch(/^[0-9a-f]{64}$/);
      const follow = session.spawn(['logs', '-f', name]);
      await follow.output(/line 3\n/);
      await follow.output(/err\n/, { stream: 'stderr' });
      expect(follow.stdout).toBe('line 1\nline 2\nline 3\n');
      await session.engine.docker(['exec', name, 'touch', '/go']); // 137 when the container ends first
      const finished = await follow.finished;
      expect(finished).toMatchObject({ code: 0, stdout: 'line 1\nline 2\nline 3\nlast\n', stderr: 'err\n' });
      await session.ok('logs', name);
      await session.ok('logs', '--tail', '2', name);
      await session.ok('logs', '--timestamps', '--tail', '1', name);
      await session.ok('logs', '--since', '1h', '--until', '2000-01-01T00:00:00Z', name);
      await session.ok('logs', '--since', '2000-01-01T00:00:00Z', '--tail', '1', name);
      expect(await session.ok('wait', name)).toBe('4');
      await session.docker(['logs', 'absent']);
    },
  },
  {
    name: 'stop: SIGTERM heard is 143, SIGKILL after the time is 137',
    async play(session) {
      const polite = session.container('polite');
      await session.ok('run', '-d', '--name', polite, busybox, 'sh', '-c', "trap 'exit 143' TERM; echo up; while :; do sleep 0.1; done");
      await session.ok('stop', polite);
      expect(await session.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}', polite)).toBe('exited 143 false');
      const deaf = session.container('deaf');
      await session.ok('run', '-d', '--name', deaf, busybox, 'sleep', '1000');
      const pid = await session.pid(deaf);
      await session.ok('stop', '-t', '1', deaf);
      expect(await session.ok('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', deaf)).toBe('exited 137');
      expect(session.engine.world.alive(pid)).toBe(false);
      await session.ok('stop', deaf);
      await session.docker(['stop', 'absent']);
    },
  },
  {
    name: 'kill with a signal, restart, start again, and their counts',
    async play(session) {
      const name = session.container('phoenix');
      await session.ok(
        'run',
        '-d',
        '--name',
        name,
        '--stop-signal',
        'USR1',
        busybox,
        'sh',
        '-c',
        "trap 'echo usr1; exit 12' USR1; trap 'echo hup' HUP; echo up; while :; do sleep 0.1; done",
      );
      const logs = session.spawn(['logs', '-f', name]);
      await logs.output(/up\n/);
      await session.ok('kill', '--signal', 'HUP', name);
      await logs.output(/hup\n/);
      await session.ok('stop', name);
      expect(await session.ok('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('12');
      await session.docker(['kill', name]);
      await session.ok('start', name);
      const before = await session.pid(name);
      await session.ok('restart', '-t', '2', name);
      const after = await session.pid(name);
      expect(after).not.toBe(before);
      expect(session.engine.world.alive(after)).toBe(true);
      await session.ok('kill', name);
      expect(await session.ok('inspect', '--format', '{{.State.ExitCode}} {{.RestartCount}}', name)).toBe('137 0');
    },
  },
  {
    name: 'pause freezes every process, unpause thaws them',
    async play(session) {
      const name = session.container('frozen');
      await session.ok('run', '-d', '--name', name, busybox, 'sh', '-c', 'while :; do :; done');
      const pid = await session.pid(name);
      await session.ok('pause', name);
      const freezer = join(session.engine.world.cgroupOf(pid, 'freezer'), 'freezer.state');
      expect(readFileSync(freezer, 'utf8')).toBe('FROZEN\n');
      await session.ok('inspect', '--format', '{{.State.Status}} {{.State.Paused}} {{.State.Running}}', name);
      await session.ok('ps', '--filter', `name=${name}`, '--format', '{{.Status}}');
      await session.docker(['exec', name, 'true']);
      await session.docker(['pause', name]);
      await session.ok('unpause', name);
      expect(readFileSync(freezer, 'utf8')).toBe('THAWED\n');
      await session.docker(['unpause', name]);
      await session.ok('exec', name, 'echo', 'awake');
    },
  },
  {
    name: 'wait in every order, rename, rm with and without force',
    async play(session) {
      const name = session.container('waited');
      await session.ok('run', '-d', '--name', name, busybox, 'sh', '-c', 'while [ ! -e /go ]; do usleep 10000; done; exit 21');
      const wait = session.spawn(['wait', name]);
      await session.engine.docker(['exec', name, 'touch', '/go']); // 137 when the container ends first
      expect((await wait.finished).stdout).toBe('21\n');
      const renamed = session.container('renamed');
      await session.ok('rename', name, renamed);
      await session.docker(['inspect', '--format', '{{.Name}}', renamed]);
      await session.docker(['inspect', name]);
      const other = session.container('other');
      await session.ok('run', '-d', '--name', other, busybox, 'sleep', '1000');
      await session.docker(['rename', other, renamed]);
      await session.docker(['rename', other, 'bad/name']);
      await session.docker(['rm', other]);
      const pid = await session.pid(other);
      await session.ok('rm', '-f', other);
      expect(session.engine.world.alive(pid)).toBe(false);
      await session.ok('rm', renamed);
      await session.docker(['rm', renamed]);
      await session.docker(['rm', '-f', renamed]);
    },
  },
  {
    name: 'create and start apart; names taken and bad; states',
    async play(session) {
      const name = session.container('made');
      await session.ok('create', '--name', name, busybox, 'echo', 'run');
      await session.ok('inspect', '--format', '{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}} {{.State.ExitCode}}', name);
      await session.docker(['create', '--name', name, busybox]);
      await session.docker(['create', '--name', 'a', busybox]);
      await session.docker(['create', '--name', '../x', busybox]);
      await session.docker(['logs', name]);
      await session.ok('start', '-a', name);
      await session.ok('start', name);
      expect(await session.ok('wait', name)).toBe('0');
      await session.docker(['start', 'absent']);
      await session.docker(['create', busybox, '--']);
    },
  },
  {
    name: 'a restart policy tries as often as it says',
    async play(session) {
      const name = session.container('trier');
      await session.ok('run', '-d', '--restart', 'on-failure:2', '--name', name, busybox, 'sh', '-c', 'echo try; exit 3');
      await until('two restarts', async () => (await session.quiet('inspect', '--format', '{{.RestartCount}} {{.State.Status}}', name)) === '2 exited');
      expect(await session.ok('logs', name)).toBe('try\ntry\ntry');
      expect(await session.ok('inspect', '--format', '{{.RestartCount}} {{.State.ExitCode}} {{json .HostConfig.RestartPolicy}}', name)).toStartWith('2 3 ');
    },
  },
  {
    name: 'container prune takes the stopped ones alone',
    async play(session) {
      const stopped = session.container('stopped');
      const running = session.container('running');
      await session.ok('run', '--name', stopped, '--label', 'prune=yes', busybox, 'true');
      await session.ok('run', '-d', '--name', running, '--label', 'prune=yes', busybox, 'sleep', '1000');
      await session.ok('container', 'prune', '--force', '--filter', 'label=prune=yes');
      await session.ok('ps', '-a', '--filter', 'label=prune=yes', '--format', '{{.Names}}');
    },
  },
];
