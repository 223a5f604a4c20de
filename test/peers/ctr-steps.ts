/** What `ctr` does with containers, over whichever runtime or shim its client names: equal over each. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { registryHost } from '../fixtures/registry.ts';
import type { PeerWorld } from '../lib/peer-world.ts';
import { until } from '../lib/until.ts';
import type { World } from '../lib/world.ts';
import type { Client, PeerStep } from './client.ts';

export const image = `${registryHost}/busybox:latest`;

/** Flags of `ctr run` for a runtime: a shim by its name or path, or another runtime's command. */
export function overRuntime(runtime: string): readonly string[] {
  return [runtime.startsWith('/') && !runtime.includes('shim') ? '--runc-binary' : '--runtime', runtime];
}

/** The container is removed with the step. */
function removeAtEnd(client: Client, id: string): void {
  client.onEnd(async () => {
    await client.quiet(['tasks', 'kill', '--all', '--signal', 'KILL', id]);
    await until(`${id} to be removed`, async () => {
      await client.quiet(['tasks', 'delete', '--force', id]);
      await client.quiet(['containers', 'delete', id]);
      return (await client.quiet(['containers', 'info', id])).code !== 0;
    });
  });
}

/** `ctr run` over the client's runtime; the container is removed with the step. */
function run(client: Client, id: string, flags: readonly string[], command: readonly string[]): readonly string[] {
  removeAtEnd(client, id);
  const over = overRuntime(client.runtime);
  return ['run', ...over, ...flags, image, id, ...command];
}

async function limit(world: World, client: Client, id: string, controller: string, file: string): Promise<string> {
  const listed = await client.quiet(['tasks', 'list']);
  const pid = Number(new RegExp(`^${id}\\s+(\\d+)`, 'm').exec(listed.stdout)?.[1]);
  return readFileSync(join(world.cgroupOf(pid, controller), file), 'utf8').trim();
}

/** Counts signals; forks nothing meanwhile, for criu gives up on processes that come and go. */
const counting = "n=0; trap 'n=$((n+1)); echo $n > /tmp/n' USR1; echo 0 > /tmp/n; sleep 1000 & while :; do wait $!; done";

/** `peers`: where ctr runs, once it is there. A step leaves nothing. */
export const ctrSteps = (peers: () => PeerWorld): readonly PeerStep[] => [
  {
    name: 'run --rm: output, exit code, environment, directory, user, hostname',
    async play(client) {
      await client.run(run(client, 'c1', ['--rm'], ['sh', '-c', 'echo out; echo err >&2; exit 7']));
      const flags = ['--rm', '--env', 'A=b', '--cwd', '/tmp', '--user', '33:50', '--hostname', 'h1'];
      await client.run(run(client, 'c2', flags, ['sh', '-c', 'echo $A; pwd; id -u; id -g; hostname']));
      await client.run(run(client, 'c3', ['--rm', '--read-only'], ['touch', '/x']));
      await client.run(run(client, 'c4', ['--rm'], ['sh', '-c', 'kill -9 $$']));
    },
  },
  {
    name: 'run -t: a terminal',
    async play(client) {
      // ctr tells the terminal its size after the start. What is said just before the end, containerd's own shim loses now and then.
      const argv = run(
        client,
        'tty',
        ['--rm', '-t'],
        ['sh', '-c', 'until stty size 2>/dev/null | grep 30; do usleep 10000; done; test -t 0 && echo terminal; usleep 300000; exit 5'],
      );
      const pty = peers().pty(['ctr', ...argv], { rows: 30, cols: 90 });
      await pty.shows(/30 90\r+\nterminal/);
      client.note('terminal', await pty.end());
    },
  },
  {
    name: 'mounts, capabilities, seccomp, devices, privileged, the network of the host',
    async play(client) {
      const shell = (id: string, flags: readonly string[], script: string) => client.run(run(client, id, ['--rm', ...flags], ['sh', '-c', script]));
      await shell('m1', ['--mount', `type=bind,src=${client.work},dst=/mnt,options=rbind:ro`], 'touch /mnt/x; grep -c " /mnt " /proc/mounts');
      await shell('m2', ['--mount', 'type=tmpfs,src=tmpfs,dst=/scratch,options=size=64k'], 'df /scratch | tail -1');
      await shell('k1', ['--cap-add', 'CAP_SYS_ADMIN', '--cap-drop', 'CAP_CHOWN'], 'grep Cap /proc/self/status');
      await shell('k2', ['--seccomp'], 'grep Seccomp: /proc/self/status; unshare -r true');
      await shell('k3', ['--privileged'], 'grep CapEff /proc/self/status; ls -l /dev/null | cut -c1-10; test -e /dev/mem && echo mem');
      await shell('k4', ['--allow-new-privs'], 'grep NoNewPrivs /proc/self/status');
      await shell('n1', ['--net-host'], 'ip -o link | wc -l');
      await shell('d1', ['--device', '/dev/full'], 'ls -l /dev/full | cut -c1-10');
    },
  },
  ...['', '--remap-labels'].map(
    (labels): PeerStep => ({
      name: `users of its own: ids, and owners of files by ${labels === '' ? 'a copy' : 'mapped mounts'}`,
      async play(client) {
        const flags = ['--rm', '--uidmap', '0:100000:65536', '--gidmap', '0:200000:65536', ...(labels === '' ? [] : [labels])];
        const script = 'cat /proc/self/uid_map /proc/self/gid_map; id -u; stat -c "%u %g" /bin/busybox; umask; touch /x && stat -c "%a %u %g" /x';
        await client.run(run(client, 'mapped', flags, ['sh', '-c', script]));
      },
    }),
  ),
  {
    name: 'a detached task: exec, exec -d, pause, resume, update by limits, metrics, kill, delete',
    async play(client) {
      await client.ok(...run(client, 'long', ['-d', '--memory-limit', '67108864', '--cpus', '0.5'], ['sleep', '1000']));
      client.note('memory', await limit(peers().world, client, 'long', 'memory', 'memory.limit_in_bytes'));
      client.note('cpu', await limit(peers().world, client, 'long', 'cpu', 'cpu.cfs_quota_us'));
      await client.run(['tasks', 'exec', '--exec-id', 'e1', 'long', 'sh', '-c', 'echo in; id -u; exit 3']);
      await client.run(['tasks', 'exec', '--exec-id', 'e2', '--user', '33', '--cwd', '/tmp', 'long', 'sh', '-c', 'id -u; pwd']);
      await client.run(['tasks', 'exec', '--exec-id', 'e3', 'long', 'nope']);
      await client.ok('tasks', 'exec', '-d', '--exec-id', 'e4', 'long', 'sleep', '1000');
      client.note('processes', (await client.quiet(['tasks', 'ps', 'long'])).stdout.trim().split('\n').length);
      await client.ok('tasks', 'pause', 'long');
      client.note('frozen', await limit(peers().world, client, 'long', 'freezer', 'freezer.state'));
      client.note('status', /PAUSED/.test((await client.quiet(['tasks', 'list'])).stdout));
      await client.run(['tasks', 'pause', 'long']);
      await client.run(['tasks', 'exec', '--exec-id', 'e5', 'long', 'true']);
      await client.ok('tasks', 'resume', 'long');
      client.note('metrics', (await client.quiet(['tasks', 'metrics', 'long'])).code);
      await client.ok('tasks', 'kill', '--signal', 'TERM', 'long');
      await client.ok('tasks', 'kill', '--all', '--signal', 'KILL', 'long');
      await until('the end of the task', async () => /long\s+\d+\s+STOPPED/.test((await client.quiet(['tasks', 'list'])).stdout));
      await client.run(['tasks', 'exec', '--exec-id', 'e6', 'long', 'true']);
      await client.run(['tasks', 'delete', 'long']);
    },
  },
  {
    name: 'a command that is missing, one that cannot be executed, an id that is taken',
    async play(client) {
      await client.run(run(client, 'b1', ['--rm'], ['nope']));
      await client.run(run(client, 'b2', ['--rm'], ['/etc/passwd']));
      await client.run(run(client, 'b3', ['--rm', '--cwd', '/etc/passwd'], ['true']));
      await client.ok(...run(client, 'b4', ['-d'], ['sleep', '1000']));
      await client.run(run(client, 'b4', ['-d'], ['sleep', '1000']));
    },
  },
  {
    name: 'checkpoint, and a new container that goes on from it, where criu works',
    async play(client) {
      if ((await peers().run(['criu', 'check'])).code !== 0) return;
      const stopped = async (id: string) =>
        await until(`the end of ${id}`, async () => new RegExp(`${id}\\s+\\d+\\s+STOPPED`).test((await client.quiet(['tasks', 'list'])).stdout));
      const counted = async (id: string, number: number) =>
        await until(`${id} to count ${number}`, async () => {
          const argv = ['tasks', 'exec', '--exec-id', `${id}-${performance.now()}`, id, 'cat', '/tmp/n'];
          return (await client.quiet(argv)).stdout === `${number}\n`;
        });
      const countOne = async (id: string) => await client.ok('tasks', 'kill', '--signal', 'USR1', id);
      removeAtEnd(client, 'again');
      client.onEnd(async () => await client.quiet(['images', 'rm', '--sync', 'saved']));
      await client.ok(...run(client, 'first', ['-d'], ['sh', '-c', counting]));
      await counted('first', 0);
      await countOne('first');
      await counted('first', 1);
      await client.run(['containers', 'checkpoint', '--task', 'first', 'saved']);
      await client.ok('tasks', 'kill', '--signal', 'KILL', 'first');
      await stopped('first');
      await client.run(['containers', 'restore', '--live', 'again', 'saved']);
      await countOne('again');
      await counted('again', 2);
      await client.run(['tasks', 'checkpoint', '--exit', '--image-path', join(client.work, 'image'), 'again']);
      await stopped('again');
      await client.run(['tasks', 'delete', 'again']);
      client.note(
        'image',
        readdirSync(join(client.work, 'image'))
          .map((name) => name.replace(/-\d+/g, ''))
          .filter((name, index, all) => all.indexOf(name) === index)
          .sort(),
      );
      rmSync(join(client.work, 'image'), { recursive: true });
    },
  },
  {
    name: 'the OOM killer: 137',
    async play(client) {
      await client.run(run(client, 'oom', ['--rm', '--memory-limit', '16777216'], ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M']));
    },
  },
];
