/** What a person does with crictl: each command of it, on pods of the step's own. */
import { readFileSync } from 'node:fs';
import { until } from '../../lib/until.ts';
import { busyboxImage } from '../images.ts';
import type { CrictlClient } from './crictl-client.ts';

export interface CrictlStep {
  readonly name: string;
  play(client: CrictlClient): Promise<void>;
}

const transports = ['spdy', 'websocket'] as const;
const imageOf = (name: string) => `gcr.io/k8s-staging-cri-tools/${name}`;

/** What goes through the streaming server. */
function overTransport(transport: 'spdy' | 'websocket', index: number): readonly CrictlStep[] {
  return [
    {
      name: `exec over ${transport}`,
      async play(client) {
        const pod = await client.pod({ name: 'execs' });
        const id = await client.started(pod, { name: 'c1' });
        const exec = ['exec', '--transport', transport];
        await client.run([...exec, id, 'sh', '-c', 'echo out; echo err >&2; exit 4']);
        await client.run([...exec, '--interactive', id, 'cat'], { stdin: 'line\n' });
        await client.run([...exec, id, 'absent']);
        const pty = client.pty([...exec, '--interactive', '--tty', id, 'sh'], { rows: 31, cols: 91 });
        pty.type('until stty size | grep 91; do sleep 0.1; done; tty; exit 5\n');
        await pty.shows(/31 91\r+\n(\/dev\/pts\/\d|\/dev\/console)/);
        client.note('terminal', await pty.end());
      },
    },
    {
      name: `attach over ${transport}`,
      async play(client) {
        const pod = await client.pod({ name: 'attached' });
        const command = ['sh', '-c', 'while read line; do echo "got $line"; [ "$line" = end ] && exit 0; done'];
        const id = await client.started(pod, { name: 'c1', command, more: { stdin: true, stdin_once: true } });
        const attached = client.spawn(['attach', '--stdin', '--transport', transport, id], { keepStdin: true });
        attached.write('one\n');
        await attached.output(/got one/);
        attached.write('end\n');
        const { code, stdout } = await attached.finished;
        client.note('attach', [code, stdout]);
      },
    },
    {
      name: `port-forward over ${transport}`,
      async play(client) {
        const pod = await client.pod({ name: 'ports' });
        await client.started(pod, { name: 'web', image: 'registry.k8s.io/e2e-test-images/httpd:2.4.39-4', command: [] });
        const port = 18080 + index;
        const forward = client.spawn(['port-forward', '--transport', transport, pod, `${port}:80`]);
        await forward.output(/Forwarding from 127.0.0.1/);
        const fetched = await client.world.peers.run(['bash', '-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`]);
        client.note('fetched', fetched.stdout.split('\r\n\r\n').at(-1));
      },
    },
  ];
}

export const crictlSteps: readonly CrictlStep[] = [
  {
    name: 'version, info, config',
    async play(client) {
      const version = await client.output('version');
      client.note(
        'version',
        version.split('\n').map((line) => line.replace(/: .*/, '')),
      );
      const info = (await client.json('info')) as { readonly status: { readonly conditions: readonly { readonly type: string; readonly status: boolean }[] } };
      client.note(
        'conditions',
        info.status.conditions.map(({ type, status }) => [type, status]),
      );
      client.shape('info', info, ['config', 'golang', 'status.conditions[]', 'runtimeHandlers[]', 'features', 'cniconfig']);
      await client.run(['runtime-config']);
      await client.run(['update-runtime-config', '--runtime-config', '{"network_config":{"pod_cidr":"10.88.0.0/16"}}']);
    },
  },
  {
    name: 'pull, images, inspecti, rmi',
    async play(client) {
      const image = imageOf('test-image-tags:1');
      await client.run(['pull', image]);
      await client.run(['pull', image]);
      await client.run(['pull', imageOf('test-image-tags:2')]);
      await client.run(['pull', imageOf('absent')]);
      await client.run(['pull', 'not a name']);
      await client.run(['images', imageOf('test-image-tags')]);
      await client.run(['images', '--digests', '--no-trunc', '--pinned', imageOf('test-image-tags')]);
      await client.run(['images', '--quiet', '--no-trunc', image]);
      await client.run(['images', '--verbose', image]);
      await client.run(['images', '--filter', 'reference=.*image-tags.*']);
      const { status, info } = (await client.json('inspecti', image)) as { readonly status: unknown; readonly info: { readonly imageSpec: unknown } };
      client.note('inspecti', status);
      client.shape('inspecti', info, ['imageSpec.history[]']);
      await client.run(['inspecti', imageOf('absent')]);
      client.shape('imagefsinfo', await client.json('imagefsinfo'));
      await client.run(['rmi', image]);
      await client.run(['images', imageOf('test-image-tags')]);
      await client.run(['rmi', image]);
    },
  },
  {
    name: 'pull with a user that the registry does not know',
    async play(client) {
      await client.run(['pull', '--creds', 'somebody:secret', imageOf('test-image-1')]);
      await client.run(['rmi', imageOf('test-image-1')]);
    },
  },
  {
    name: 'runp, pods, inspectp, stopp, rmp',
    async play(client) {
      const pod = await client.pod({ name: 'one', labels: { app: 'web' } });
      await client.run(['pods', '--name', 'one']);
      await client.run(['pods', '--label', 'app=web', '--quiet', '--no-trunc']);
      await client.run(['pods', '--label', 'app=other']);
      await client.run(['pods', '--state', 'notready']);
      await client.run(['pods', '--id', pod, '--verbose']);
      const { status, info } = (await client.json('inspectp', pod)) as { readonly status: unknown; readonly info: object };
      client.note('inspectp', status);
      client.note('inspectp has info', Object.keys(info).length > 0);
      await client.run(['runp', client.write('again.json', readFileSync(`${client.world.work}/crictl/pod-one.json`, 'utf8'))]);
      await client.run(['rmp', pod]);
      await client.run(['stopp', pod]);
      await client.run(['stopp', pod]);
      await client.run(['pods', '--state', 'notready']);
      await client.run(['rmp', pod]);
      await client.run(['rmp', pod]);
      await client.run(['inspectp', pod]);
      await client.run(['runp', client.write('nothing.json', '{}')]);
      await client.run(['runp', '--runtime', 'absent', client.write('other.json', JSON.stringify({ metadata: { name: 'o', uid: 'o', namespace: 'o' } }))]);
    },
  },
  {
    name: 'create, start, ps, inspect, stop, rm',
    async play(client) {
      const pod = await client.pod({ name: 'two' });
      const id = await client.container(pod, {
        name: 'c1',
        more: { labels: { tier: 'back' }, annotations: { note: 'x' }, envs: [{ key: 'A', value: 'b' }], working_dir: '/tmp' },
      });
      await client.run(['ps', '--all']);
      await client.run(['ps']);
      await client.run(['start', id]);
      await client.run(['start', id]);
      await client.run(['ps', '--name', 'c1', '--pod', pod, '--image', busyboxImage, '--label', 'tier=back', '--state', 'running']);
      await client.run(['ps', '--quiet', '--no-trunc']);
      await client.run(['ps', '--verbose']);
      await client.run(['ps', '--label', 'tier=front']);
      const { status, info } = (await client.json('inspect', id)) as { readonly status: unknown; readonly info: object };
      client.note('inspect', status);
      client.note(
        'inspect has',
        Object.keys(info)
          .filter((key) => ['sandboxID', 'pid', 'runtimeSpec', 'config'].includes(key))
          .sort(),
      );
      await client.run(['rm', id]);
      await client.run(['stop', id]);
      await client.run(['ps', '--all', '--state', 'exited']);
      const exited = (await client.json('inspect', id)) as { readonly status: { readonly exitCode: number; readonly reason: string; readonly state: string } };
      client.note('exited', [exited.status.state, exited.status.exitCode, exited.status.reason]);
      await client.run(['rm', id]);
      await client.run(['rm', id]);
      await client.run(['inspect', id]);
      await client.run([
        'create',
        pod,
        client.write('bad.json', '{"metadata":{"name":"x"},"image":{"image":"absent.example/none"}}'),
        client.write('pod.json', '{"metadata":{"name":"x","namespace":"x","uid":"x"}}'),
      ]);
    },
  },
  {
    name: 'how containers end',
    async play(client) {
      const pod = await client.pod({ name: 'ends' });
      const ended = async (name: string, command: readonly string[]) => {
        const id = await client.started(pod, { name, command });
        await until(`${name} to end`, async () => ((await client.json('inspect', id)) as Inspected).status.state === 'CONTAINER_EXITED');
        const { status } = (await client.json('inspect', id)) as Inspected;
        client.note(name, [status.exitCode, status.reason, status.message]);
      };
      await ended('well', ['true']);
      await ended('badly', ['sh', '-c', 'exit 7']);
      await ended('by a signal', ['sh', '-c', 'kill -9 $$']);
      const id = await client.container(pod, { name: 'absent', command: ['/absent'] });
      await client.run(['start', id]);
      const { status } = (await client.json('inspect', id)) as Inspected;
      client.note('what is not there', [status.state, status.exitCode, status.reason]);
    },
  },
  {
    name: 'exec at once',
    async play(client) {
      const pod = await client.pod({ name: 'execs' });
      const id = await client.started(pod, { name: 'c1' });
      await client.run(['exec', '--sync', id, 'sh', '-c', 'echo out; echo err >&2']);
      await client.run(['exec', '--sync', id, 'sh', '-c', 'exit 3']);
      await client.run(['exec', '--sync', '--timeout', '1', id, 'sleep', '60']);
      await client.run(['exec', '--sync', id, 'absent']);
    },
  },
  ...transports.flatMap(overTransport),
  {
    name: 'logs',
    async play(client) {
      const pod = await client.pod({ name: 'logged' });
      const id = await client.started(pod, { name: 'c1', command: ['sh', '-c', 'echo one; sleep 0.3; echo two >&2; sleep 0.3; echo three; printf four'] });
      await until('the end', async () => ((await client.json('inspect', id)) as Inspected).status.state === 'CONTAINER_EXITED');
      for (const flags of [[], ['--tail', '1'], ['--limit-bytes', '5'], ['--stream', 'stdout'], ['--follow']]) await client.run(['logs', ...flags, id]);
      await client.run(['logs', '--timestamps', '--tail', '1', id]);
      client.note('the file', readFileSync(`${client.world.work}/crictl/logs/logged/c1.log`, 'utf8'));
      const running = await client.started(pod, { name: 'c2' });
      await client.run(['logs', '--reopen', running]);
      await client.run(['logs', '--reopen', id]);
    },
  },
  {
    name: 'stats, statsp, metrics',
    async play(client) {
      const pod = await client.pod({ name: 'measured' });
      const id = await client.started(pod, { name: 'c1', more: { linux: { resources: { memory_limit_in_bytes: 64 << 20 } } } });
      client.shape('stats', await client.json('stats', '--output', 'json', id));
      client.note('stats', (await client.output('stats', '--all')).split('\n')[0]);
      client.shape('statsp', await client.json('statsp', '--output', 'json', '--id', pod));
      client.note('statsp', (await client.output('statsp')).split('\n')[0]);
      await client.run(['stats', 'absent']);
      for (const command of ['metricdescs', 'metricsp']) {
        const { code } = await client.quiet([command]);
        client.note(command, code);
      }
    },
  },
  {
    name: 'update',
    async play(client) {
      const pod = await client.pod({ name: 'updated' });
      const id = await client.started(pod, { name: 'c1', more: { linux: { resources: { memory_limit_in_bytes: 64 << 20, cpu_shares: 512 } } } });
      await client.run(['update', '--memory', String(96 << 20), '--cpu-quota', '50000', '--cpu-period', '100000', '--cpu-share', '256', id]);
      const { status } = (await client.json('inspect', id)) as { readonly status: { readonly resources: unknown } };
      client.note('resources', status.resources);
      await client.run(['exec', '--sync', id, 'sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null']);
      await client.run(['update', '--memory', '1', id]);
      await client.run(['update', '--memory', String(96 << 20), 'absent']);
    },
  },
  {
    name: 'events',
    async play(client) {
      const events = client.spawn(['events', '--output', 'go-template', '--template', '{{.containerId}} {{.containerEventType}}']);
      // Until the first one is told, nobody knows that it listens.
      await until('an event', async () => {
        await client.pod({ name: `probe-${Math.random().toString(36).slice(2)}` });
        return events.stdout !== '';
      });
      const pod = await client.pod({ name: 'told' });
      const id = await client.started(pod, { name: 'c1', command: ['true'] });
      await until('the end', async () => ((await client.json('inspect', id)) as Inspected).status.state === 'CONTAINER_EXITED');
      await client.output('rm', id);
      await client.output('stopp', pod);
      await client.output('rmp', pod);
      const names: Readonly<Record<string, string>> = { [pod]: 'pod', [id]: 'container' };
      const told = () =>
        events.stdout.split('\n').flatMap((line) => {
          const [subject = '', type] = line.split(' ');
          return names[subject] === undefined ? [] : [`${names[subject]} ${type}`];
        });
      await until('the last one', () => told().filter((line) => line.endsWith('DELETED_EVENT')).length > 1);
      client.note('events', told());
    },
  },
  {
    name: 'run, and rm, rmp, rmi of all',
    async play(client) {
      const podFile = client.write(
        'run-pod.json',
        JSON.stringify({ metadata: { name: 'run', namespace: 'default', uid: 'run', attempt: 1 }, log_directory: '/tmp', linux: {} }),
      );
      const containerFile = client.write(
        'run-c.json',
        JSON.stringify({ metadata: { name: 'c' }, image: { image: busyboxImage }, command: ['top'], log_path: 'run.log', linux: {} }),
      );
      await client.run(['run', containerFile, podFile]);
      await client.run(['ps', '--all']);
      await client.run(['rm', '--force', '--all']);
      await client.run(['ps', '--all']);
      await client.run(['rmp', '--force', '--all']);
      await client.run(['pods']);
      await client.run(['rmi', busyboxImage]);
      await client.run(['images', busyboxImage]);
    },
  },
  {
    name: 'checkpoint',
    async play(client) {
      const pod = await client.pod({ name: 'saved' });
      const id = await client.started(pod, { name: 'c1' });
      await client.run(['checkpoint', '--export', `${client.world.work}/checkpoint.tar`, id]);
      await client.run(['checkpoint', '--export', `${client.world.work}/absent.tar`, 'absent']);
    },
  },
];

interface Inspected {
  readonly status: { readonly state: string; readonly exitCode: number; readonly reason: string; readonly message: string };
}
