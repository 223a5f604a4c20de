import { expect } from 'bun:test';
import { readlinkSync } from 'node:fs';
import { until } from '../../lib/until.ts';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

export const interactiveSteps: readonly Step[] = [
  {
    name: 'run -it: a shell on a terminal that follows resizes',
    async play(session) {
      const pty = session.pty(['run', '-it', '--rm', '--name', session.container('shell'), busybox], { cols: 91, rows: 33 });
      await pty.shows(/# /);
      pty.type('tty; stty size; echo TERM=$TERM\n');
      await pty.shows(/\/dev\/pts\/0\r\n33 91\r\nTERM=xterm\r\n/);
      pty.resize({ cols: 120, rows: 44 });
      pty.type('while [ "$(stty size)" != "44 120" ]; do :; done; echo resized\n');
      await pty.shows(/\r\nresized\r\n/);
      pty.type('exit 7\n');
      expect(await pty.end()).toBe(7);
    },
  },
  {
    name: 'run -it: a resize reaches the process as SIGWINCH',
    async play(session) {
      const watcher = "trap 'stty size' WINCH; trap 'exit 8' INT; echo up; while :; do sleep 0.05; done";
      const pty = session.pty(['run', '-it', '--rm', '--name', session.container('watcher'), busybox, 'sh', '-c', watcher], { cols: 91, rows: 33 });
      await pty.shows(/up\r\n/);
      // The docker command listens for a change only after it has told the first size, which the process may be faster than: it is changed until it is seen.
      let rows = 43;
      await until('the change of size', () => {
        pty.resize({ cols: 119, rows: rows++ });
        return pty.screen.includes(' 119\r\n');
      });
      pty.type('\u0003');
      expect(await pty.end()).toBe(8);
    },
  },
  {
    name: 'run -it: control-C reaches the process, and ctrl-p ctrl-q detaches',
    async play(session) {
      const name = session.container('keys');
      const first = session.pty([
        'run',
        '-it',
        '--name',
        name,
        busybox,
        'sh',
        '-c',
        "trap 'caught=1' INT; echo ready; while [ -z $caught ]; do sleep 0.05; done; echo caught; exec cat",
      ]);
      await first.shows(/ready/);
      first.type('\u0003');
      await first.shows(/caught/);
      first.type('one\n');
      await first.shows(/one\r\none\r\n/);
      first.type('\u0010\u0011');
      expect(await first.end()).toBe(0);
      expect(await session.ok('inspect', '--format', '{{.State.Running}}', name)).toBe('true');
      const again = session.pty(['attach', name]);
      again.type('two\n');
      await again.shows(/two\r\ntwo\r\n/);
      again.type('\u0010\u0011');
      expect(await again.end()).toBe(1); // the CLI counts a detached attach, other than a detached run, as an error
    },
  },
  {
    name: 'exec -it: a second terminal, resized, with its own exit code',
    async play(session) {
      const name = session.container('host-of-exec');
      await session.ok('run', '-d', '--name', name, busybox, 'sleep', '1000');
      const pty = session.pty(['exec', '-it', '-e', 'COLOUR=green', '-w', '/tmp', name, 'sh'], { cols: 70, rows: 20 });
      await pty.shows(/# /);
      pty.type('tty; stty size; pwd; echo $COLOUR; hostname >/dev/null && echo same\n');
      await pty.shows(/\/dev\/pts\/\d\r\n20 70\r\n\/tmp\r\ngreen\r\nsame\r\n/);
      pty.resize({ cols: 81, rows: 25 });
      pty.type('while [ "$(stty size)" != "25 81" ]; do :; done; echo resized\n');
      await pty.shows(/\r\nresized\r\n/);
      pty.type('exit 9\n');
      expect(await pty.end()).toBe(9);
    },
  },
  {
    name: 'exec: streams, exit codes, user, environment, input, detached',
    async play(session) {
      const name = session.container('exec-host');
      await session.ok('run', '-d', '--name', name, '-e', 'OUTER=1', busybox, 'sleep', '1000');
      const both = await session.docker(['exec', name, 'sh', '-c', 'echo out; echo err >&2; exit 3']);
      expect(both).toMatchObject({ code: 3, stdout: 'out\n', stderr: 'err\n' });
      await session.ok('exec', '-u', 'www-data', name, 'id');
      await session.ok('exec', '-u', '1234:5678', name, 'id');
      await session.ok('exec', '-e', 'INNER=2', '-w', '/var', name, 'sh', '-c', 'echo $OUTER $INNER; pwd');
      expect((await session.docker(['exec', '-i', name, 'cat'], { stdin: 'through\n' })).stdout).toBe('through\n');
      await session.docker(['exec', name, 'absent']);
      await session.docker(['exec', name, '/etc/passwd']);
      await session.ok('exec', '-d', name, 'sh', '-c', 'echo detached >/tmp/mark');
      await session.ok('exec', name, 'sh', '-c', 'while [ ! -s /tmp/mark ]; do :; done; cat /tmp/mark');
      await session.ok('exec', '--privileged', name, 'sh', '-c', 'grep CapInh /proc/self/status');
      const init = await session.pid(name);
      const running = session.spawn(['exec', name, 'sh', '-c', 'echo $$; exec sleep 1000']);
      await running.output(/\d+\n/);
      const { world } = session.engine;
      const isInner = (pid: number): boolean => world.commandLine(pid) === 'sleep\x001000\x00' && pid !== init;
      const inner = await until('the exec to have become sleep', () => world.pids().find(isInner));
      for (const kind of ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup']) {
        expect(readlinkSync(world.procPath(inner, 'ns', kind))).toBe(readlinkSync(world.procPath(init, 'ns', kind)));
      }
      expect(world.cgroupOf(inner, 'memory')).toBe(world.cgroupOf(init, 'memory'));
      await session.ok('kill', name);
      expect(await running.finished).toMatchObject({ code: 137, stderr: '' });
      await session.docker(['exec', name, 'true']);
      await session.docker(['exec', 'absent', 'true']);
    },
  },
  {
    name: 'attach sees both streams and the exit code; start -a as well',
    async play(session) {
      const name = session.container('attached');
      await session.ok('create', '-i', '--name', name, busybox, 'sh', '-c', 'read a; echo got $a; echo err >&2; exit 5');
      const running = session.spawn(['start', '-ai', name], { keepStdin: true });
      running.write('word\n');
      const finished = await running.finished;
      session.note('start -ai', { code: finished.code, stdout: finished.stdout, stderr: finished.stderr });
      expect(finished).toMatchObject({ code: 5, stdout: 'got word\n', stderr: 'err\n' });
      const second = session.container('attached-later');
      await session.ok('run', '-di', '--name', second, busybox, 'sh', '-c', 'read a; echo late $a; exit 6');
      const attach = session.spawn(['attach', second], { keepStdin: true });
      attach.write('word\n');
      expect(await attach.finished).toMatchObject({ code: 6, stdout: 'late word\n' });
      await session.docker(['attach', second]);
    },
  },
];
