import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestOf } from '../../oci/index.ts';
import { openTestTree } from '../fixtures.ts';
import type { SnapshotMount } from '../snapshots/snapshots.ts';
import { applyLayer } from './apply.ts';
import { archiveTree } from './archive-tree.ts';
import { createComparer } from './compare.ts';
import type { Change } from './diff.ts';
import { listTree, tarNames } from './fixtures-trees.ts';
import type { TarEntry } from './tar/entry.ts';
import { TarReader } from './tar/reader.ts';

const before = `
  mkdir -p etc/deep var/cache usr/bin; chmod 700 etc/deep; chown 5:6 etc/deep
  echo one >etc/one; echo two >etc/two; echo deep >etc/deep/file; ln etc/one var/one; ln -s etc/one link
  touch var/cache/a var/cache/b; chmod 4755 etc/two
  find . -exec touch -h -d @1000000000 {} +`;
const after = `
  echo changed >>etc/one; rm etc/two; echo new >etc/deep/new; chmod 600 etc/deep/file
  rm -r var/cache; mkdir var/cache; echo c >var/cache/c
  rm -r usr; echo file >usr; ln usr usr-again; mknod null c 1 3; mkfifo fifo; ln -s ../.. up
  echo >a-file; setfattr -n user.key -v value a-file; setfattr -n user.a=b a-file; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 a-file
  setfacl -m u:5:rw,g:7:r,m:rwx a-file; setfacl -d -m u:6:rx etc/deep
  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
  truncate -s 1M sparse; echo end >>sparse; touch -d '2001-02-03 04:05:06.789012345 UTC' sparse
  printf '' >"$(printf 'latin-\\374')"; mkdir "$(printf 'n%.0s' $(seq 120))"; echo '*' >'*'`;

const changed = ['modified /etc', 'modified /etc/deep', 'modified /etc/deep/file', 'added /etc/deep/new', 'modified /etc/one', 'deleted /etc/two'];

/** A world of two snapshots: `lower` is made by one script, `upper` by another on a copy of it, and on an overlay over it. */
class World implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'strake-compare-'));
  readonly lower: SnapshotMount = { type: 'bind', source: this.at('lower'), readonly: true };

  constructor(lower: string) {
    for (const name of ['lower', 'upper', 'work', 'merged', 'target']) mkdirSync(this.at(name));
    this.run(lower, 'lower');
  }

  at(name: string): string {
    return path.join(this.root, name);
  }

  run(script: string, name: string): void {
    execFileSync('sh', ['-euc', script], { cwd: this.at(name) });
  }

  copy(script: string): SnapshotMount {
    execFileSync('cp', ['-a', '--', this.at('lower'), this.at('copy')]);
    this.run(script, 'copy');
    return { type: 'bind', source: this.at('copy'), readonly: false };
  }

  overlay(script: string): SnapshotMount {
    const options = `lowerdir=${this.at('lower')},upperdir=${this.at('upper')},workdir=${this.at('work')}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, this.at('merged')]);
    try {
      this.run(script, 'merged');
    } finally {
      execFileSync('umount', [this.at('merged')]);
    }
    return { type: 'overlay', lowers: [this.at('lower')], upper: this.at('upper'), work: this.at('work'), readonly: false };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const comparer = createComparer({ openFileTree: openTestTree, overlayRefers: () => false });

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function namesOf(changes: AsyncIterable<readonly Change[]>): Promise<string[]> {
  const names: string[] = [];
  for await (const batch of changes) names.push(...batch.map(({ kind, path: name }) => `${kind} ${name}`));
  return names;
}

test.each(['copy', 'overlay'] as const)('a layer of what changed makes the same tree again: %s', async (kind) => {
  using world = new World(before);
  const upper = world[kind](after);
  const layer = await bytesOf(comparer.layer(world.lower, upper));
  expect(digestOf(await bytesOf(comparer.layer(world.lower, upper)))).toBe(digestOf(layer));
  execFileSync('cp', ['-a', '--', `${world.at('lower')}/.`, world.at('target')]);
  await using target = await openTestTree(world.at('target'));
  await applyLayer(
    (async function* () {
      yield layer;
    })(),
    target,
    { name: 'L', compression: 'none', whiteouts: 'plain' },
  );
  const wanted = kind === 'copy' ? listTree(world.at('copy')) : await listOverlay(world, upper);
  expect(listTree(world.at('target'))).toEqual(wanted);
});

async function listOverlay(world: World, upper: SnapshotMount): Promise<string[]> {
  if (upper.type !== 'overlay') throw new Error('no overlay');
  const options = `lowerdir=${world.at('upper')}:${world.at('lower')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, world.at('merged')]);
  try {
    return listTree(world.at('merged'));
  } finally {
    execFileSync('umount', [world.at('merged')]);
  }
}

test('the writable directory of an overlay is read alone: whiteouts, and opaque where something is hidden', async () => {
  using world = new World('mkdir -p d/e keep; echo x >d/x; echo y >d/e/y; chmod 711 keep');
  const upper = world.overlay('rm -r d; mkdir -p d/new new/newer; echo z >d/z; rm -f nothing; echo k >keep/k');
  expect(tarNames(await bytesOf(comparer.layer(world.lower, upper)))).toEqual([
    'd/',
    'd/.wh..wh..opq',
    'd/new/',
    'd/z',
    'keep/',
    'keep/k',
    'new/',
    'new/newer/',
  ]);
  expect(await namesOf(comparer.changes(world.lower, upper))).toEqual([
    'modified /d',
    'deleted /d/e',
    'deleted /d/x',
    'added /d/new',
    'added /d/z',
    'modified /keep',
    'added /keep/k',
    'added /new',
    'added /new/newer',
  ]);
});

test.each(['copy', 'overlay'] as const)('changes: %s', async (kind) => {
  using world = new World(before);
  const names = await namesOf(comparer.changes(world.lower, world[kind](after)));
  expect(names.filter((name) => name.includes('/etc'))).toEqual(changed);
  expect(names.filter((name) => name.includes('/var'))).toEqual(
    kind === 'copy'
      ? ['modified /var', 'modified /var/cache', 'deleted /var/cache/a', 'deleted /var/cache/b', 'added /var/cache/c', 'modified /var/one']
      : ['modified /var', 'modified /var/cache', 'deleted /var/cache/a', 'deleted /var/cache/b', 'added /var/cache/c'],
  );
  expect(names.filter((name) => name.includes('usr'))).toEqual(['modified /usr', 'added /usr-again']);
});

test('trees that are each whole: the directories around a change come along, the names of one file stay together', async () => {
  using world = new World('mkdir -p a/b m/n z; chmod 700 a a/b m/n; echo x >a/b/f; echo s >m/n/s; ln m/n/s z/s; touch -d @1 a/b/f');
  const upper = world.copy('echo y >a/b/f; touch -d @1 a/b/f; ln z/s z/t; touch -r ../lower/z z; touch -r ../lower/a/b a/b');
  const layer = await bytesOf(comparer.layer(world.lower, upper));
  expect(tarNames(layer)).toEqual(['a/', 'a/b/', 'a/b/f', 'm/', 'm/n/', 'm/n/s', 'z/', 'z/s -> m/n/s', 'z/t -> m/n/s']);
});

test('the root is in a layer when it changed', async () => {
  using world = new World('echo x >x');
  expect(tarNames(await bytesOf(comparer.layer(world.lower, world.overlay('chmod 711 .; chown 3:4 .'))))).toEqual(['./']);
});

test('nothing below, nothing changed', async () => {
  using world = new World('echo x >x');
  const layer = await bytesOf(comparer.layer(undefined, world.lower));
  expect(tarNames(layer)).toEqual(['x']);
  expect((await bytesOf(comparer.layer(world.lower, world.overlay('true')))).equals(Buffer.alloc(1024))).toBe(true);
  expect(await namesOf(comparer.changes(world.lower, world.copy('true')))).toEqual([]);
});

test('where overlays may refer to what lies below, both trees are read', async () => {
  using world = new World('mkdir d; echo x >d/x; touch -d @5 d d/x');
  const careful = createComparer({ openFileTree: openTestTree, overlayRefers: () => true });
  expect(tarNames(await bytesOf(careful.layer(world.lower, world.overlay('chmod 600 d/x; chmod 644 d/x; echo y >d/y; touch -d @5 d'))))).toEqual(['d/', 'd/y']);
});

test('the same trees give the same layer, wherever and in whatever order they were made', async () => {
  const made = [
    'mkdir -p d/e; echo x >d/x; ln d/x d/y; ln -s x l; setfattr -n user.b -v 1 d/x; setfattr -n user.a -v 2 d/x',
    'ln -s x l; mkdir d; echo x >d/y; ln d/y d/x; setfattr -n user.a -v 2 d/y; setfattr -n user.b -v 1 d/y; mkdir d/e',
  ];
  const digests: string[] = [];
  for (const script of made) {
    using world = new World('true');
    const upper = world.copy(`umask 022; ${script}; find . -mindepth 1 -exec touch -h -d @1000000000.123456789 {} +`);
    digests.push(digestOf(await bytesOf(comparer.layer(world.lower, upper))));
  }
  expect(digests[1]).toBe(digests[0]);
  // Of the bytes as they are: another version makes them too.
  expect(digests[0]).toBe('sha256:ceb94107c4c1dedc6aa95d299f10f980e25972fb08c878b3d811bab02d80e139');
});

test('where owners are mapped, the layer has those of the container', async () => {
  using world = new World('echo x >old; chown 7:8 old');
  const script = 'echo y >new; chown 100005:100006 new; echo z >root; chown 100000:100000 root; echo o >other; chown 9:9 other';
  // Revision 3, of the namespace of 100000.
  const capability = `setfattr -n security.capability -v 0x0100000300200000000000000000000000000000a0860100 root`;
  const overlay = world.overlay(`${script}; ${capability}`) as Extract<SnapshotMount, { type: 'overlay' }>;
  const idMap = { uids: '0 100000 1000\n', gids: '0 100000 1000\n' };
  const layer = await bytesOf(comparer.layer(world.lower, { ...overlay, idMap }));
  const lines: string[] = [];
  const entry = ({ name, uid, gid, xattrs }: TarEntry) => void lines.push(`${name} ${uid}:${gid} ${xattrs.map(([, value]) => value.toString('hex'))}`);
  new TarReader({ entry, data: () => undefined }, { entries: 10, headerBytes: 4096 }).push(layer);
  expect(lines).toEqual(['new 5:6 ', 'other 9:9 ', 'root 0:0 0100000200200000000000000000000000000000']);
});

test('a whole tree, a part of it under another name, one file', async () => {
  using world = new World('mkdir -p d/e; echo x >d/e/x; ln -s e d/l');
  await using tree = await openTestTree(world.lower);
  expect(tarNames(await bytesOf(archiveTree(tree)))).toEqual(['d/', 'd/e/', 'd/e/x', 'd/l -> e']);
  expect(tarNames(await bytesOf(archiveTree(tree, { path: 'd', name: 'other' })))).toEqual(['other/', 'other/e/', 'other/e/x', 'other/l -> e']);
  expect(tarNames(await bytesOf(archiveTree(tree, { path: '/d/e/x', name: 'y' })))).toEqual(['y']);
  expect(tarNames(await bytesOf(archiveTree(tree, { path: 'd/l', name: 'l' })))).toEqual(['l -> e']);
});

test('an abort ends it, and so does a reader that leaves', async () => {
  using world = new World('for i in $(seq 300); do head -c 100000 /dev/urandom >$i; done');
  await using tree = await openTestTree(world.lower);
  for await (const bytes of archiveTree(tree)) {
    expect(bytes.length).toBeGreaterThan(0);
    break;
  }
  expect(Number((await tree.stat('1')).sizeBytes)).toBe(100_000);
  const controller = new AbortController();
  let pieces = 0;
  const read = (async () => {
    for await (const _ of comparer.layer(undefined, world.lower, { signal: controller.signal })) if (++pieces === 3) controller.abort(new Error('enough'));
  })();
  await expect(read).rejects.toThrow('enough');
});
