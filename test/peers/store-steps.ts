/** `ctr` on what is stored: each step is one kind of command, on one socket. What is seen must be what is seen on the real containerd. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryHost, scratchHost } from '../fixtures/registry.ts';
import { run } from '../lib/process.ts';
import { until } from '../lib/until.ts';
import type { CtrClient, CtrStep } from './store-client.ts';

const image = `${registryHost}/busybox:latest`;
const cake = `${registryHost}/layers:latest`;
const configured = `${registryHost}/configured:latest`;
/** Of "hello\n". */
const hello = 'sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03';
const absent = `sha256:${'0'.repeat(64)}`;
const held = 'containerd.io/gc.root=held';

/** What is drawn while bytes move depends on their pace: only the end is compared. */
async function moved(client: CtrClient, ...argv: readonly string[]): Promise<void> {
  const { code, stderr } = await client.quiet(argv);
  client.note(argv.join(' '), { code, stderr });
}

const pull = async (client: CtrClient, name: string, ...flags: readonly string[]) => await moved(client, 'images', 'pull', '--plain-http', ...flags, name);

async function all(client: CtrClient, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) await client.run(command.split(' '));
}

/** A file of the client's own, as the place sees it. */
function fileOf(client: CtrClient, name: string): string {
  const directory = join(client.work, client.runtime);
  mkdirSync(directory, { recursive: true });
  return join(directory, name);
}

async function listArchive(file: string): Promise<readonly string[]> {
  return (await run(['tar', '-tf', file])).stdout
    .trim()
    .split('\n')
    .filter((name) => !name.endsWith('/'))
    .sort();
}

export const storeSteps: readonly CtrStep[] = [
  {
    name: 'what a fresh daemon says: namespaces, deprecations, runtimes',
    async play(client) {
      await all(client, 'namespaces ls', 'deprecations list', 'deprecations list --format json');
      client.note('an unknown runtime', (await client.quiet(['plugins', 'inspect-runtime', '--runtime', 'none.v2'])).code);
    },
  },
  {
    name: 'images: pull, list, check, inspect, usage, tag, label, remove, prune',
    async play(client) {
      await pull(client, image);
      await pull(client, cake);
      await pull(client, `${registryHost}/none:latest`);
      await all(client, 'images ls', 'images ls -q', 'images check', `images inspect ${cake}`, `images usage ${cake}`);
      await all(
        client,
        `images tag ${image} local/b:1`,
        `images tag ${image} local/b:1`,
        `images tag --force ${image} local/b:1`,
        `images tag local/none:1 x:1`,
      );
      await all(client, 'images label local/b:1 a=b c=d', 'images label local/b:1 a=', 'images label local/none:1 a=b', 'images ls');
      await all(client, 'images ls name==local/b:1', 'images ls labels.c==d', 'images ls name~=^local', 'images ls -q name==none', 'images ls name~=');
      await all(client, 'images rm local/b:1', 'images rm local/none:1', 'images ls -q', 'images prune --all', 'images ls');
    },
  },
  {
    name: 'images: export, import with and without a base name, by digest, under an index name; convert',
    async play(client) {
      await pull(client, cake);
      const archive = fileOf(client, 'export.tar');
      await client.run(['images', 'export', archive, cake]);
      client.note('archive', await listArchive(archive));
      const plain = fileOf(client, 'plain.tar');
      await client.run(['images', 'export', '--skip-manifest-json', plain, cake]);
      client.note('without docker’s manifest', await listArchive(plain));
      await client.run(['images', 'export', fileOf(client, 'none.tar'), 'local/none:1']);
      await client.run(['images', 'rm', '--sync', cake]);
      await moved(client, 'images', 'import', '--base-name', `${registryHost}/layers`, archive);
      await moved(client, 'images', 'import', '--base-name', 'other', archive);
      await moved(client, 'images', 'import', '--digests', '--base-name', `${registryHost}/layers`, archive);
      await moved(client, 'images', 'import', '--no-unpack', archive);
      await all(client, 'images ls', 'images check', `images convert --uncompress ${cake} local/plain:1`, `images convert --oci ${cake} local/oci:1`);
      await all(client, 'images ls', 'images check');
      writeFileSync(fileOf(client, 'none.tar'), 'nothing of images');
      client.note('what is no archive', (await client.quiet(['images', 'import', fileOf(client, 'none.tar')])).code);
    },
  },
  {
    name: 'images: push, and what is pulled again is the same; pull of all platforms, without snapshots',
    async play(client) {
      const name = `${scratchHost}/${client.runtime}/layers:1`;
      await pull(client, cake);
      await moved(client, 'images', 'push', '--plain-http', name, cake);
      await moved(client, 'images', 'push', '--plain-http', `${scratchHost}/${client.runtime}/none:1`, 'local/none:1');
      await client.run(['images', 'rm', '--sync', cake]);
      await moved(client, 'content', 'fetch', '--plain-http', name);
      await all(client, 'images ls', 'images check');
      await pull(client, name, '--all-platforms');
      await pull(client, configured, '--local');
      await all(client, 'images ls', 'images check');
      // What a configuration's snapshots will be called is known before they are made; we say so then.
      const labels = (await client.quiet(['content', 'ls'])).stdout.match(/containerd\.io\/(?!gc\.ref\.snapshot)[\w.]+/g);
      client.note('labels', labels?.sort());
      await moved(client, 'content', 'fetch', '--plain-http', '--all-platforms', configured);
      await client.run(['content', 'fetch-object', '--plain-http', configured]);
      const { stdout } = await client.quiet(['content', 'fetch-object', '--plain-http', configured]);
      const { config } = JSON.parse(stdout) as { readonly config: { readonly digest: string } };
      await client.run(['content', 'fetch-blob', '--plain-http', configured, config.digest]);
      // Its digest says what it is; nothing keeps the blob itself.
      await client.run(['content', 'edit', '--editor', 'sed -i s/linux/plan9/', config.digest]);
      await moved(
        client,
        'content',
        'push-object',
        '--plain-http',
        `${scratchHost}/${client.runtime}/object:1`,
        config.digest,
        'application/vnd.oci.image.config.v1+json',
      );
    },
  },
  {
    name: 'images: mount and unmount, read-only and writable',
    async play(client) {
      await pull(client, cake);
      const target = fileOf(client, 'mnt');
      mkdirSync(target, { recursive: true });
      client.onEnd(async () => await client.outside(['umount', target]));
      await client.run(['images', 'mount', cake, target]);
      client.note('tree', (await client.outside(['sh', '-c', `cd ${target} && find . -printf '%p %y %m %U:%G %l\\n' | sort`])).stdout);
      client.note('write', (await client.outside(['touch', `${target}/x`])).code);
      await client.run(['images', 'unmount', '--rm', target]);
      await client.run(['images', 'mount', '--rw', cake, target]);
      client.note('write', (await client.outside(['touch', `${target}/x`])).code);
      await client.run(['images', 'unmount', '--rm', target]);
      await client.run(['images', 'mount', 'local/none:1', target]);
      await all(client, 'snapshots ls', 'leases ls -q');
    },
  },
  {
    name: 'content: ingest, get, list, label, remove, what is wrong, what is not there',
    async play(client) {
      const ingest = async (text: string, ...argv: readonly string[]) => await client.run(['content', 'ingest', ...argv], { stdin: text });
      // A collection that an earlier step has left may take what nothing holds yet.
      await until('a blob that is held', async () => {
        await client.quiet(['content', 'ingest', 'zero'], { stdin: 'hello\n' });
        return (await client.quiet(['content', 'label', hello, held])).code === 0;
      });
      await ingest('hello\n', 'one');
      await client.run(['content', 'label', hello, 'x=y', held]);
      await ingest('hello\n', '--expected-digest', hello, '--expected-size', '6', 'two');
      await all(
        client,
        `content get ${hello}`,
        `content get ${absent}`,
        'content get nothing',
        `content label ${absent} x=y`,
        'content ls',
        'content ls -q labels.x==y',
        'content ls -q labels.x==z',
      );
      await ingest('hello\n', '--expected-digest', absent, 'three');
      await ingest('hellooo', '--expected-size', '8', 'four');
      // The real one lists them in the order of Go's maps.
      const active = async () => {
        const { stdout } = await client.quiet(['content', 'active']);
        client.note(
          'active',
          stdout
            .replace(/(\S+\s+\S+).*/g, '$1')
            .split('\n')
            .sort(),
        );
      };
      await active();
      await ingest('hellooo', '--expected-size', '7', 'four');
      await active();
      await ingest('large'.repeat(1 << 20), 'five');
      await all(client, `content rm ${hello}`, `content rm ${hello}`, `content rm ${absent}`, 'content ls -q labels.x==y', `content label ${hello} x=`);
    },
  },
  {
    name: 'content: prune references of an image',
    async play(client) {
      await pull(client, image);
      await all(client, 'content prune references --dry', 'content prune references', 'images check');
    },
  },
  {
    name: 'snapshots: prepare, view, commit, list, tree, info, label, mounts, remove',
    async play(client) {
      await all(client, 'snapshots prepare a', 'snapshots prepare a', 'snapshots prepare b none', 'snapshots info a', 'snapshots mounts /mnt a');
      await all(
        client,
        'snapshots commit base a',
        'snapshots commit base none',
        'snapshots prepare c base',
        'snapshots commit base c',
        'snapshots view v base',
        'snapshots mounts /mnt c',
      );
      await all(
        client,
        'snapshots ls',
        'snapshots tree',
        'snapshots info c',
        'snapshots info none',
        'snapshots label c x=y',
        'snapshots info c',
        'snapshots label none x=y',
      );
      await all(
        client,
        'snapshots rm base',
        'snapshots rm none',
        'snapshots rm c',
        'snapshots --snapshotter none ls',
        'snapshots --snapshotter none prepare x',
      );
      await all(client, 'snapshots mounts /mnt base', 'snapshots prepare', 'snapshots commit again base');
    },
  },
  {
    name: 'snapshots: unpack, usage, and what differs between two',
    async play(client) {
      await pull(client, cake);
      const listed = await client.quiet(['images', 'ls']);
      const digest = /sha256:[0-9a-f]{64}/.exec(listed.stdout)?.[0] ?? '';
      const [top = ''] = (await client.quiet(['snapshots', 'tree'])).stdout
        .trim()
        .split('\n')
        .slice(-1)
        .map((line) => line.replace(/.*(sha256:\S+)/, '$1'));
      await client.run(['images', 'rm', '--sync', cake]);
      await moved(client, 'content', 'fetch', '--plain-http', cake);
      await all(client, `snapshots unpack ${digest}`, 'snapshots unpack none', `snapshots prepare work ${top}`, 'snapshots usage');
      const mounts = (await client.quiet(['snapshots', 'mounts', '/mnt', 'work'])).stdout;
      const upper = /upperdir=([^,\s]+)/.exec(mounts)?.[1] ?? '';
      await client.outside(['sh', '-c', `cd ${upper} && mkdir -p etc && echo new > etc/new && mknod bin c 0 0 && chmod 600 etc/new`]);
      const file = fileOf(client, 'layer.tgz');
      await client.outside(['sh', '-c', `ctr --address "$1" --namespace "$2" snapshots diff work > ${file}`, 'sh', ...client.socketAndNamespace]);
      client.note('layer', (await run(['sh', '-c', `zcat ${file} | tar -tvf - | sed 's/ [0-9-]* [0-9:]* / /' | sort`])).stdout);
      client.note('bytes', readFileSync(file).length > 0);
      rmSync(file);
    },
  },
  {
    name: 'leases: create, list, remove',
    async play(client) {
      await all(
        client,
        'leases create --id one a=b',
        'leases create --id one',
        'leases create --id two --expires 0s',
        'leases ls',
        'leases ls -q',
        'leases ls -q labels.a==b',
      );
      await all(client, 'leases rm one', 'leases rm one', 'leases rm --sync two', 'leases ls');
    },
  },
  {
    name: 'namespaces: create, label, list, remove; what is in one is not in another',
    async play(client) {
      const [socket, own] = client.socketAndNamespace;
      const other = `${own}-other`;
      const listed = async () =>
        client.note(
          'namespaces',
          (await client.quiet(['namespaces', 'ls'])).stdout.split('\n').filter((line) => line.startsWith(own)),
        );
      await all(client, `namespaces create ${other} a=b`, `namespaces create ${other}`, 'namespaces create /', `namespaces label ${other} c=d a=`);
      await pull(client, image);
      await listed();
      await client.runIn(other, 'images', 'ls');
      await client.runIn(other, 'content', 'ls');
      const again = await client.outside(['ctr', '--address', socket, '--namespace', other, 'images', 'pull', '--plain-http', image]);
      client.note('pull in the other', { code: again.code, stderr: again.stderr });
      await client.runIn(other, 'images', 'check');
      await all(client, `namespaces rm ${other}`);
      await client.runIn(other, 'images', 'rm', '--sync', image);
      await all(client, `namespaces rm ${other}`, 'images check');
      await listed();
    },
  },
  {
    name: 'containers: create, info, label, list, remove',
    async play(client) {
      await pull(client, image);
      await all(
        client,
        `containers create ${image} c1 sleep 1`,
        `containers create ${image} c1 true`,
        'containers create local/none:1 c2 true',
        'snapshots ls',
      );
      const info = JSON.parse((await client.quiet(['containers', 'info', 'c1'])).stdout) as Record<string, unknown>;
      client.note('info', { ...info, CreatedAt: '', UpdatedAt: '' });
      await all(
        client,
        'containers ls',
        'containers ls -q',
        'containers label c1 a=b',
        'containers label c1 a=',
        'containers ls -q labels.a==b',
        'containers ls -q id==c1',
        'containers info none',
      );
      await all(client, `containers create ${image} /// true`, 'containers rm c1', 'containers rm c1', 'containers ls');
    },
  },
  {
    name: 'events: what a pull, a tag and a removal tell',
    async play(client) {
      const [, own] = client.socketAndNamespace;
      const events = client.spawn(['events', `namespace==${own}`]);
      client.onEnd(async () => await events.stop());
      // The subscription is there once something is seen of it.
      await until('the first event', async () => {
        await client.quiet(['images', 'rm', 'probe']);
        await client.quiet(['snapshots', 'prepare', 'probe']);
        await client.quiet(['snapshots', 'rm', 'probe']);
        return events.stdout.includes('probe');
      });
      await pull(client, image);
      await all(
        client,
        `images tag ${image} local/b:1`,
        'images label local/b:1 a=b',
        'images rm local/b:1',
        'snapshots prepare --label x last',
        'snapshots prepare last',
        'snapshots rm last',
      );
      await until('the last event', async () => /snapshot\/remove.*last/.test(events.stdout));
      const lines = events.stdout.split('\n').filter((line) => /images\/|last/.test(line));
      client.note(
        'events',
        lines.map((line) => line.replace(/^.*? \+0000 UTC /, '').replace(/"updatedat":"[^"]*"/, '')),
      );
    },
  },
];
