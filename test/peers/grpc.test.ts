/** The real ctr, whose gRPC is grpc-go's, at `strake containerd`, beside the real containerd: what it asks of a server's wire. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import { type Client, type PeerStep, seenOver } from './client.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;
const socket = '/run/strake/containerd.sock';
const ours = ['ctr', '--address', socket];

let peers: PeerWorld;
let daemon: Running;

beforeAll(async () => {
  peers = await PeerWorld.start();
  await peers.startContainerd();
  daemon = peers.spawn(['/strake/strake', 'containerd', '--root', join(peers.world.work, 'strake'), '--log-level', 'warn', '--ready-fd', '1']);
  await daemon.output(/^ready$/m);
}, setupMs);

afterAll(async () => {
  await daemon.stop();
  await peers[Symbol.asyncDispose]();
}, setupMs);

const quoted = (text: string) => `'${text}'`;

/** A blob of as many bytes in the shared directory: its file and digest. */
function makeBlob(name: string, bytes: number): { readonly file: string; readonly digest: string } {
  const content = randomBytes(bytes);
  const file = join(peers.world.work, name);
  writeFileSync(file, content);
  return { file, digest: `sha256:${createHash('sha256').update(content).digest('hex')}` };
}

async function ingest(client: Client, blob: { readonly file: string; readonly digest: string }, flags: readonly string[] = []): Promise<void> {
  await client.run(['content', 'ingest', ...flags, '--expected-digest', blob.digest, 'in'], { stdin: readFileSync(blob.file) });
  client.onEnd(async () => await client.quiet(['content', 'rm', blob.digest]));
}

const steps: readonly PeerStep[] = [
  {
    name: 'namespaces: make, label, list, remove, and what is refused',
    async play(client) {
      await client.run(['namespaces', 'create', 'Foo', 'a=b', 'c=d']);
      await client.run(['namespaces', 'create', 'Foo']);
      await client.run(['namespaces', 'create', '../x']);
      await client.run(['namespaces', 'label', 'Foo', 'c=', 'e=f']);
      const { stdout } = await client.quiet(['namespaces', 'ls']);
      client.note('labels', /^Foo .*$/m.exec(stdout)?.[0]);
      await client.run(['--namespace', 'Foo', 'content', 'ingest', 'x'], { stdin: 'x' });
      await client.run(['namespaces', 'remove', 'Foo']);
      await client.run(['--namespace', 'Foo', 'content', 'rm', `sha256:${createHash('sha256').update('x').digest('hex')}`]);
      await client.run(['namespaces', 'remove', 'Foo']);
      await client.run(['namespaces', 'remove', 'Foo']);
      await client.run(['namespaces', 'label', 'Foo', 'a=b']);
    },
  },
  {
    name: 'a namespace that is none',
    async play(client) {
      for (const name of ['', '..', 'a b', 'x'.repeat(77)]) await client.run(['--namespace', name, 'containers', 'ls']);
    },
  },
  {
    name: 'what is not there',
    async play(client) {
      const digest = `sha256:${'0'.repeat(64)}`;
      for (const argv of [
        ['content', 'get', digest],
        ['content', 'label', digest, 'a=b'],
        ['images', 'label', 'no', 'a=b'],
        ['containers', 'info', 'no'],
        ['tasks', 'kill', 'no'],
        ['snapshots', 'info', 'no'],
        ['leases', 'delete', 'no'],
      ])
        await client.run(argv);
    },
  },
  {
    name: 'blobs of 64 MiB in and out, and one that is not what it is said to be',
    async play(client) {
      const blob = makeBlob('blob', 64 << 20);
      await ingest(client, blob, ['--expected-size', String(64 << 20)]);
      await client.run(['content', 'ingest', '--expected-digest', `sha256:${'1'.repeat(64)}`, 'wrong'], { stdin: 'x' });
      await client.run(['content', 'ingest', '--expected-size', '5', 'short'], { stdin: 'x' });
      const read = await peers.run(['sh', '-c', [...commandOf(client), 'content', 'get', blob.digest].map(quoted).join(' ').concat(' | sha256sum')]);
      expect(`sha256:${read.stdout.slice(0, 64)}`).toBe(blob.digest);
    },
  },
  {
    name: 'clients that leave in the middle of a stream, and others beside them',
    async play(client) {
      const blob = makeBlob('left', 32 << 20);
      await ingest(client, blob);
      const get = [...commandOf(client), 'content', 'get', blob.digest].map(quoted).join(' ');
      const read = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const { stdout } = await peers.run(['sh', '-c', index % 2 === 0 ? `${get} 2>/dev/null | head -c 100000 | wc -c` : `${get} | sha256sum`]);
          return index % 2 === 0 ? stdout.trim() : stdout.slice(0, 64) === blob.digest.slice(7);
        }),
      );
      client.note('read', read);
    },
  },
  {
    name: 'events of others',
    async play(client) {
      const events = peers.spawn([...commandOf(client), 'events', 'topic~="/namespaces/.*"']);
      client.onEnd(async () => await events.stop());
      // A subscription makes no sound: what comes of it shows that it is there.
      let rounds = 0;
      await until('the subscription', async () => {
        rounds += 1;
        await client.quiet(['namespaces', 'create', `sub${rounds}`]);
        await client.quiet(['namespaces', 'remove', `sub${rounds}`]);
        if (events.exited) throw new Error(events.stderr);
        return events.stdout.includes('/namespaces/delete');
      });
      await client.ok('namespaces', 'create', 'seen', 'a=b');
      await client.ok('namespaces', 'label', 'seen', 'c=d');
      await client.ok('namespaces', 'remove', 'seen');
      await events.output(/ seen \/namespaces\/delete .*\n/);
      client.note(
        'events',
        events.stdout.split('\n').filter((line) => line.includes(' seen ')),
      );
    },
  },
];

/** Of the client that plays now. */
let playing: readonly string[] = [];
const commandOf = (_client: Client) => playing;

for (const { name, play } of steps)
  test(
    name,
    async () => {
      const seen = [];
      for (const command of [['ctr'], ours]) {
        playing = command;
        seen.push(await seenOver({ name, play }, { place: peers, runtime: '<none>', command, work: peers.world.work }));
      }
      expect(seen[1]).toEqual(seen[0] ?? []);
    },
    stepMs,
  );

test(
  'an engine that serves the API too: what it has is in the namespace moby',
  async () => {
    const [state, address, api] = ['exec', 'engine-containerd.sock', 'engine.sock'].map((name) => join(peers.world.work, name)) as [string, string, string];
    const flags = ['--data-root', join(peers.world.work, 'engine'), '--exec-root', state, '-H', `unix://${api}`, '--containerd-listen', address];
    const engine = peers.spawn(['/strake/strake', 'daemon', ...flags, '--ready-fd', '1']);
    try {
      await engine.output(/^ready$/m);
      const id = await peers.output(['/strake/strake', '-H', `unix://${api}`, 'create', '--network', 'none', 'hello']);
      const moby = async (...argv: string[]) => await peers.output(['ctr', '--address', address, '--namespace', 'moby', ...argv]);
      expect((await moby('containers', 'ls', '-q')).trim()).toBe(id.trim());
      expect((await moby('images', 'ls', '-q')).trim()).toBe('docker.io/library/hello:latest');
      await moby('images', 'tag', 'docker.io/library/hello:latest', 'docker.io/library/other:1');
      expect(await peers.output(['/strake/strake', '-H', `unix://${api}`, 'images', '--format', '{{.Repository}}:{{.Tag}}'])).toContain('other:1');
      expect((await peers.output(['ctr', '--address', address, 'images', 'ls', '-q'])).trim()).toBe('');
    } finally {
      await engine.stop();
    }
  },
  stepMs,
);
