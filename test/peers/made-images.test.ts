/** Images that a program makes of what was changed in a container or a bundle: ours run in the peers, theirs in ours, with the same tree in every attribute. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/process.ts';
import { listTree } from '../lib/tree-listing.ts';
import { type ContainerClient, documentsAt, type ImageClient } from './image-clients.ts';
import { ImageWorld } from './image-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

/** Changes of every kind to a tree with the base image below it. */
const changes = `umask 022; rm -r x/gone x/removed x/opaque root-file; mkdir -p x/opaque x/new/sub; echo new >x/opaque/new; echo changed >>x/changed; chmod 4711 x/mode; chown 33:50 x/owner
  rm x/kind; mkdir x/kind; echo inside >x/kind/f; ln x/twin x/second; ln -s ../nowhere x/new/link; mkfifo x/new/fifo; mknod x/new/device c 1 3; truncate -s 2M x/new/sparse
  echo tail >>x/new/sparse; touch -d '2001-09-09 01:46:40.987654321 UTC' x/new/old; mkdir "x/new/$(printf 'd%.0s' $(seq 180))"; echo deep >"x/new/$(printf 'd%.0s' $(seq 180))/$(printf 'f%.0s' $(seq 180))"
  touch x/new/capable x/new/listed x/new/coloured; setcap cap_net_raw+ep x/new/capable; setfacl -m u:33:rw x/new/listed; setfattr -n user.colour -v green x/new/coloured; setfattr -n user.colour -v blue x/new
  chown 3000000:4000000000 x/new/listed; touch x/new/empty; touch -d @86400 x/new/sub x/new`;

let world: ImageWorld;
let base: string;

beforeAll(async () => {
  world = await ImageWorld.start();
  const script = `mkdir -p x/gone/sub x/opaque; touch x/gone/sub/f x/removed x/opaque/hidden root-file x/mode x/owner x/kind; echo b >x/changed; echo t >x/twin`;
  base = await world.upload({ name: 'base', layers: [{ script }] });
}, setupMs);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, setupMs);

async function change(root: string): Promise<string> {
  const { code, stderr } = await run(['bash', '-ec', `cd "$1"; ${changes}`, 'bash', root]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return await listTree(root);
}

/** Makes an image on the base, has the registry hold it under the name, and gives the tree that it was made of. */
type Make = (name: string) => Promise<string>;

interface Maker {
  readonly name: string;
  readonly reader: () => ImageClient;
  readonly make: Make;
}

function committing(name: string, client: () => ContainerClient): Maker {
  return {
    name,
    reader: client,
    async make(reference) {
      await client().pull(base);
      const tree = await client().withContainer(base, async (container, root) => {
        const changed = await change(root);
        await client().do('commit', container, reference);
        return changed;
      });
      await client().push(reference, reference);
      expect((await documentsAt(world.peers, reference)).configurations).toEqual([await client().id(reference)]);
      await client().forget(reference);
      return tree;
    },
  };
}

const makers: readonly Maker[] = [
  committing('strake', () => world.strake),
  committing('docker', () => world.docker),
  committing('podman', () => world.podman),
  {
    name: 'buildah',
    reader: () => world.buildah,
    async make(reference) {
      const { buildah } = world;
      await buildah.pull(base);
      const tree = await buildah.withContainer(base, async (container, root) => {
        const changed = await change(root);
        await buildah.do('commit', '--quiet', container, reference);
        return changed;
      });
      await buildah.push(reference, reference);
      await buildah.forget(reference);
      return tree;
    },
  },
  {
    name: 'umoci',
    reader: () => world.layouts,
    async make(reference) {
      const { layouts, peers } = world;
      await layouts.pull(base);
      const image = `${layouts.layout(base)}:latest`;
      const bundle = join(peers.world.work, 'umoci-bundle');
      await peers.output(['umoci', 'unpack', '--image', image, bundle]);
      const tree = await change(join(bundle, 'rootfs'));
      await peers.output(['umoci', 'repack', '--image', image, bundle]);
      rmSync(bundle, { recursive: true });
      await layouts.push(base, reference);
      return tree;
    },
  },
];

async function treeAt(client: ImageClient, reference: string): Promise<readonly string[]> {
  await client.pull(reference);
  const tree = await client.tree(reference);
  await client.forget(reference);
  return tree.split('\n');
}

for (const { name, reader, make } of makers)
  test(
    `made by ${name}`,
    async () => {
      const reference = world.reference(name, 'made');
      const made = await make(reference);
      // The peers write times in whole seconds, and lists of access not at all: what is to be seen is what they show themselves.
      const expected = name === 'strake' ? made.split('\n') : await treeAt(reader(), reference);
      expect(expected.length).toBeGreaterThan(20);
      const { strake, docker, podman, buildah, layouts } = world;
      // umoci does not read the documents that docker writes.
      const readers = [strake, docker, podman, buildah, ...(name === 'docker' ? [] : [layouts])];
      for (const other of readers) expect({ in: other.name, tree: await treeAt(other, reference) }).toEqual({ in: other.name, tree: expected });
    },
    stepMs,
  );
