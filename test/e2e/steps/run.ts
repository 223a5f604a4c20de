import { expect } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import type { Step } from './step.ts';
import { busybox } from './step.ts';

export const runSteps: readonly Step[] = [
  {
    name: 'run --rm prints, exits and is gone',
    async play(session) {
      expect(await session.ok('run', '--rm', '--name', session.container('gone'), busybox, 'echo', 'hello')).toBe('hello');
      await session.docker(['inspect', 'gone']);
    },
  },
  {
    name: 'exit codes and both streams',
    async play(session) {
      const both = await session.docker(['run', '--rm', busybox, 'sh', '-c', 'echo out; echo err >&2; exit 42']);
      expect(both).toMatchObject({ code: 42, stdout: 'out\n', stderr: 'err\n' });
      expect((await session.docker(['run', '--rm', busybox, 'sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'])).code).toBe(137);
      expect((await session.docker(['run', '--rm', busybox, '/absent'])).code).toBe(127);
      expect((await session.docker(['run', '--rm', busybox, 'absent'])).code).toBe(127);
      expect((await session.docker(['run', '--rm', busybox, '/etc/passwd'])).code).toBe(126);
      expect((await session.docker(['run', '--rm', busybox, '/etc'])).code).toBe(126);
    },
  },
  {
    name: 'run -i takes standard input to its end',
    async play(session) {
      expect((await session.docker(['run', '--rm', '-i', busybox, 'cat'], { stdin: 'x\n' })).stdout).toBe('x\n');
      const bytes = randomBytes(8 << 20);
      const digest = createHash('sha256').update(bytes).digest('hex');
      const big = await session.engine.docker(['run', '--rm', '-i', busybox, 'sha256sum'], { stdin: bytes });
      expect(big.stdout).toBe(`${digest}  -\n`);
      const back = await session.engine.docker(['run', '--rm', '-i', busybox, 'sh', '-c', 'cat | head -c 3000000 | sha256sum; echo done >&2'], {
        stdin: bytes,
      });
      expect(back).toMatchObject({ code: 0, stderr: 'done\n' });
      expect(back.stdout).toBe(`${createHash('sha256').update(bytes.subarray(0, 3_000_000)).digest('hex')}  -\n`);
    },
  },
  {
    name: 'a lot of output arrives whole',
    async play(session) {
      const finished = await session.engine.docker(['run', '--rm', busybox, 'seq', '1', '300000']);
      expect(finished.code).toBe(0);
      expect(finished.stdout.length).toBe(1_988_895);
      expect(finished.stdout.endsWith('\n300000\n')).toBe(true);
    },
  },
  {
    name: 'environment, working directory, entrypoint, hostname, labels',
    async play(session) {
      const name = session.container('settings');
      await session.ok(
        'run',
        '--name',
        name,
        '-e',
        'A=1',
        '-e',
        'EMPTY=',
        '-w',
        '/new/dir',
        '--hostname',
        'box',
        '--label',
        'k=v',
        busybox,
        'sh',
        '-c',
        'env | sort; pwd; hostname; echo $0; id; umask; tty; ls /proc/self/fd',
      );
      await session.ok('inspect', '--format', '{{json .Config.Labels}} {{.Config.WorkingDir}} {{.Config.Hostname}}', name);
      const env = JSON.parse(await session.quiet('inspect', '--format', '{{json .Config.Env}}', name)) as string[];
      session.note('Env', env.sort()); // the real one keeps it in a map
      await session.ok('run', '--rm', '--entrypoint', 'basename', busybox, '/a/b');
      await session.ok('run', '--rm', '--domainname', 'example.org', '--hostname', 'box', '--add-host', 'other:192.0.2.9', busybox, 'cat', '/etc/hosts');
      await session.ok(
        'run',
        '--rm',
        '--dns',
        '192.0.2.53',
        '--dns-search',
        'example.org',
        '--dns-option',
        'ndots:2',
        busybox,
        'sh',
        '-c',
        'grep -v ^# /etc/resolv.conf',
      );
    },
  },
  {
    name: 'the process inside: pid 1, its namespaces, mounts, devices, limits',
    async play(session) {
      const inside =
        'echo $$; readlink /proc/self/exe; ls -l /dev | awk \'{print $1,$3,$4,$5,$6,$NF}\' | sort; ls /; stat -c "%n %a %u:%g %F" / /proc /sys /dev /dev/shm /dev/pts /tmp';
      await session.ok('run', '--rm', busybox, 'sh', '-c', inside);
      await session.ok(
        'run',
        '--rm',
        busybox,
        'sh',
        '-c',
        // Ours mounts the layers by the newer interface, shows the v2 tree, keeps the directory of the hierarchies read-only, and lets masks hold no
        // programs or devices.
        "awk '{print $2,$3,$4}' /proc/mounts | sed \"s/lowerdir.*/LAYERS/; s/size=[0-9]*k/SIZE/; s/nr_inodes=[0-9]*/INODES/; " +
          's/^\\(\\/sys\\/fs\\/cgroup tmpfs\\) r[ow]/\\1 RW/; s/\\( tmpfs ro\\),nosuid,nodev,noexec/\\1/; /unified/d" | sort',
      );
      await session.ok(
        'run',
        '--rm',
        busybox,
        'sh',
        '-c',
        'ulimit -a; grep -E "^(Cap|Seccomp:|NoNewPrivs|Groups|Uid|Gid|SigIgn|SigBlk)" /proc/self/status; cat /proc/self/oom_score_adj',
      );
    },
  },
  {
    name: '--init reaps and forwards',
    async play(session) {
      const name = session.container('with-init');
      await session.ok('run', '-d', '--init', '--name', name, busybox, 'sleep', '1000');
      await session.ok('exec', name, 'sh', '-c', 'cat /proc/1/comm; tr "\\0" " " </proc/1/cmdline');
      await session.ok('stop', name);
      expect(await session.ok('inspect', '--format', '{{.State.ExitCode}}', name)).toBe('143');
    },
  },
];
