/** Versions of images: layers and who shares them, what differs, going back; and what all of it takes on the disk. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Engine } from '../lib/engine.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { warm } from '../lib/play.ts';
import type { Finished, RunOptions } from '../lib/process.ts';
import { busybox, image } from './steps/step.ts';

const setupMs = 600_000;
const stepMs = 120_000;

let engine: Engine;
let before: Snapshot;

const strake = async (argv: readonly string[], options?: RunOptions): Promise<Finished> => await engine.own(argv, options);

const ok = async (...argv: readonly string[]): Promise<string> => await engine.ownOutput(argv);

const idOf = async (name: string): Promise<string> => (await ok('inspect', '--format', '{{.Id}}', name)).trim();
const digestOf = async (name: string): Promise<string> =>
  (JSON.parse(await ok('image', 'tree', '--format', 'json', name)) as { readonly Digest: string }).Digest;

/** An image of what `script` makes of busybox. */
async function commit(script: string, name: string, ...flags: readonly string[]): Promise<void> {
  await ok('run', '--name', 'maker', busybox, 'sh', '-c', script);
  await ok('commit', ...flags, 'maker', name);
  await ok('rm', 'maker');
}

beforeAll(async () => {
  engine = await Engine.start('strake');
  await warm(engine, busybox);
  before = await idleSnapshot(engine.peers);
}, setupMs);

afterAll(async () => {
  await engine?.[Symbol.asyncDispose]();
}, setupMs);

test(
  'tree: layers that others have too, and bytes of each',
  async () => {
    await commit('head -c 3000000 /dev/zero >/big; rm /bin/true', 'app:1');
    interface Tree {
      readonly Size: number;
      readonly SharedSize: number;
      readonly OwnSize: number;
      readonly Layers: readonly { readonly Size: number; readonly SharedWith: readonly string[] }[];
    }
    const tree = JSON.parse(await ok('image', 'tree', '--format', 'json', 'app:1')) as Tree;
    expect(tree.Layers.map(({ SharedWith: others }) => others)).toEqual([[`${busybox}:latest`], []]);
    expect([tree.OwnSize, tree.SharedSize, tree.Size]).toEqual([3_000_000, tree.Layers[0]?.Size ?? 0, 3_000_000 + (tree.Layers[0]?.Size ?? 0)]);
    const shown = (await ok('image', 'tree', 'app:1')).split('\n');
    expect(shown[0]).toMatch(/^app:1 {2}[0-9a-f]{12} {2}\S+MB \(\S+MB shared, 3MB own\)$/);
    expect(shown[1]).toContain(`shared with ${busybox}:latest`);
    expect(shown[2]).toMatch(/^└─ [0-9a-f]{12} {2}3MB {2}own/);
    expect(await strake(['image', 'tree', 'absent'])).toMatchObject({ code: 1, stderr: 'Error response from daemon: No such image: absent:latest\n' });
  },
  stepMs,
);

test(
  'diff: configuration and files, both ways, and of images that share nothing',
  async () => {
    await commit('mkdir /new; echo x >/new/file; echo y >>/etc/passwd', 'app:2', '--change', 'ENV MODE=two', '--change', 'CMD ["app"]');
    await ok('pull', '--quiet', image('layers'));
    expect(await ok('image', 'diff', '--files', busybox, 'app:1')).toBe('A /big\nC /bin\nD /bin/true\n');
    const changes = await ok('image', 'diff', 'app:1', 'app:2');
    expect(changes).toContain('- Cmd=["sh","-c","head -c 3000000 /dev/zero >/big; rm /bin/true"]\n+ Cmd=["app"]\n');
    expect(changes).toContain('+ Env.MODE=two\n');
    expect(changes.split('\n').filter((line) => /^[ACD] /.test(line))).toEqual([
      'D /big',
      'C /bin',
      'A /bin/true',
      'C /etc',
      'C /etc/passwd',
      'A /new',
      'A /new/file',
    ]);
    expect((await ok('image', 'diff', '--files', 'app:2', 'app:1')).split('\n')).toContain('D /new');
    expect(await ok('image', 'diff', '--config', 'app:2', 'app:1')).toContain('- Env.MODE=two\n');
    expect(await ok('image', 'diff', 'app:1', 'app:1')).toBe('');
    expect((await ok('image', 'diff', '--files', busybox, image('layers'))).split('\n')).toContain('A /cake/twin-a');
    expect(await strake(['image', 'diff', 'app:1', 'absent'])).toMatchObject({ code: 1, stderr: 'Error response from daemon: No such image: absent:latest\n' });
    // The layers are free again.
    await ok('rmi', image('layers'));
  },
  stepMs,
);

test(
  'rollback: to what a name stood for before, and back; to a digest, also one that must be pulled',
  async () => {
    const [one, two] = [await idOf('app:1'), await idOf('app:2')];
    for (const version of ['app:1', 'app:2']) await ok('tag', version, 'app:live');
    expect(await ok('image', 'tree', 'app:live')).toContain(`before:\n└─ app:live was ${(await digestOf('app:1')).slice(0, 19)}\n`);
    expect(await ok('image', 'rollback', 'app:live')).toBe(`app:live: ${await digestOf('app:2')} -> ${await digestOf('app:1')}\n`);
    expect(await idOf('app:live')).toBe(one);
    await ok('image', 'rollback', 'app:live');
    expect(await idOf('app:live')).toBe(two);
    await ok('image', 'rollback', 'app:live', await digestOf('app:1'));
    expect(await idOf('app:live')).toBe(one);
    await ok('image', 'rollback', 'app:live', two.slice(7, 19));
    expect(await idOf('app:live')).toBe(two);
    expect(await strake(['image', 'rollback', 'app:1'])).toMatchObject({
      code: 1,
      stderr: 'Error response from daemon: app:1 has stood for nothing else here\n',
    });
    expect(await strake(['image', 'rollback', 'app:live', `sha256:${'0'.repeat(64)}`])).toMatchObject({ code: 1 });
    expect(await idOf('app:live')).toBe(two);
    // A version that a registry has, under the name of another here.
    await ok('pull', '--quiet', image('layers'));
    const digest = await digestOf(image('layers'));
    const layers = await idOf(image('layers'));
    await ok('rmi', image('layers'));
    await ok('tag', 'app:1', image('layers'));
    expect(await ok('image', 'rollback', '-q', image('layers'), digest)).toContain(` -> ${digest}\n`);
    expect(await idOf(image('layers'))).toBe(layers);
    // A pull that moves a name remembers too.
    await ok('tag', 'app:2', `${image('busybox')}:latest`);
    await ok('pull', '--quiet', image('busybox'));
    await ok('image', 'rollback', image('busybox'));
    expect(await idOf(image('busybox'))).toBe(two);
  },
  stepMs,
);

test(
  'df counts as docker does, and prune frees what it says',
  async () => {
    await ok('run', '--name', 'used', '-v', '/data', 'app:1', 'sh', '-c', 'head -c 1000000 /dev/zero >/written; head -c 500000 /dev/zero >/data/kept');
    const usage = async (format: string) => (await strake(['system', 'df', '--format', format])).stdout;
    expect(await usage('{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}')).toBe(
      (await engine.docker(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}'])).stdout,
    );
    const listed = async (query: string) => {
      const answer = await fetch(`http://engine/v1.51/images/json${query}`, { unix: engine.socket });
      return ((await answer.json()) as readonly { readonly SharedSize: number }[]).map(({ SharedSize: size }) => size);
    };
    expect((await listed('')).every((size) => size === -1)).toBe(true);
    expect((await listed('?shared-size=1')).some((size) => size > 1_000_000)).toBe(true);
    expect((await usage('{{.Type}} {{.Size}} {{.Reclaimable}}')).split('\n').slice(1, 4)).toEqual([
      'Containers 1MB 1MB (100%)',
      'Local Volumes 500kB 0B (0%)',
      'Build Cache 0B 0B',
    ]);
    expect(await ok('system', 'df', '-v')).toMatch(
      /^Images space usage:\n\nREPOSITORY .* UNIQUE SIZE {3}CONTAINERS\n[\s\S]*\nContainers space usage:\n\n[\s\S]* used\n\nLocal Volumes space usage:\n\n/,
    );
    const asked = await strake(['system', 'prune', '--volumes'], { stdin: 'n\n' });
    expect(asked).toMatchObject({ code: 1, stderr: 'system prune has been cancelled\n' });
    expect(asked.stdout).toContain(
      '  - all stopped containers\n  - all networks not used by at least one container\n  - all anonymous volumes not used by at least one container\n  - all dangling images\n',
    );
    expect(await strake(['system', 'prune', '--volumes', '--filter', 'until=1h'])).toMatchObject({ code: 1 });
    const kept = await ok('system', 'prune', '--force', '--filter', 'until=1h');
    expect(kept).not.toContain('Deleted Containers');
    const pruned = await ok('system', 'prune', '--all', '--force', '--volumes');
    expect(pruned).toMatch(
      /^Deleted Containers:\n[0-9a-f]{64}\n\nDeleted Volumes:\n[0-9a-f]{64}\n\nDeleted Images:\n(?:(?:untagged|deleted): .*\n)+\nTotal reclaimed space: \S+MB\n$/,
    );
    expect(await usage('{{.Type}} {{.TotalCount}}')).toBe('Images 0\nContainers 0\nLocal Volumes 0\nBuild Cache 0\n');
  },
  stepMs,
);

test(
  'nothing is left in the kernel',
  async () => {
    expect(await leaksSince(before, engine.peers)).toEqual([]);
  },
  stepMs,
);
