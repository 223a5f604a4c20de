/** Archives of images in every form: those that the peers write are loaded by us, ours are read by the peers; tree and configuration are the same, the manifest where it is in the archive. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Documents, documentsAt, storageFlags } from './image-clients.ts';
import { ImageWorld } from './image-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

let world: ImageWorld;
/** What goes around, and a second image, on the same base, for archives of both. */
let image: string;
let second: string;
let tree: string;
let documents: Documents;

beforeAll(async () => {
  world = await ImageWorld.start();
  const lower = 'mkdir -p x/gone x/opaque; touch x/gone/f x/removed x/opaque/hidden; echo old >x/replaced; echo t >x/twin';
  const upper = `mkdir -p x/opaque; : >x/.wh.gone; : >x/.wh.removed; : >x/opaque/.wh..wh..opq; echo new >x/replaced; echo s >x/set; chmod 4755 x/set; ln x/set x/hard
    touch x/capable x/coloured; setcap cap_net_raw+ep x/capable; setfattr -n user.colour -v green x/coloured; mknod x/null c 1 3; touch -d '2001-09-09 01:46:40.987654321 UTC' x/coloured`;
  image = await world.upload({ name: 'archived', layers: [{ script: lower }, { script: upper, compression: 'zstd' }] });
  second = await world.upload({ name: 'second', layers: [{ script: lower }] });
  const { strake, docker, podman, buildah, layouts, peers } = world;
  documents = await documentsAt(peers, image);
  for (const client of [strake, docker, podman, buildah, layouts]) for (const reference of [image, second]) await client.pull(reference);
  tree = await strake.tree(image);
  expect(tree).toMatch(/^x\/capable security\.capability=/m);
  expect(tree).not.toMatch(/gone|removed|hidden/);
}, setupMs);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, setupMs);

const path = (name: string) => join(world.peers.world.work, name);
const skopeo = async (from: string, to: string) =>
  await world.peers.output(['skopeo', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', from, to]);
const tarOf = async (layout: string, file: string, flags: readonly string[] = []) =>
  await world.peers.output(['tar', ...flags, '-C', layout, '-cf', file, '.']);

interface Written {
  readonly by: string;
  write(file: string): Promise<unknown>;
  /** The manifest is in it as it was. */
  readonly keepsManifest?: boolean;
  readonly holds?: number;
}

const written: readonly Written[] = [
  { by: 'docker save', write: async (file) => await world.docker.save(file, image) },
  { by: 'docker save of two', holds: 2, write: async (file) => await world.docker.do('save', '-o', file, image, second) },
  { by: 'podman save', write: async (file) => await world.podman.save(file, image) },
  { by: 'podman save, oci-archive', write: async (file) => await world.podman.save(file, image, ['--quiet', '--format', 'oci-archive']) },
  { by: 'podman save of two', holds: 2, write: async (file) => await world.podman.do('save', '--quiet', '--multi-image-archive', '-o', file, image, second) },
  { by: 'buildah push, docker-archive', write: async (file) => await world.buildah.do('push', '--quiet', image, `docker-archive:${file}:${image}`) },
  { by: 'buildah push, oci-archive', write: async (file) => await world.buildah.do('push', '--quiet', image, `oci-archive:${file}:${image}`) },
  { by: 'skopeo, docker-archive', write: async (file) => await skopeo(`docker://${image}`, `docker-archive:${file}:${image}`) },
  { by: 'skopeo, oci-archive', keepsManifest: true, write: async (file) => await skopeo(`docker://${image}`, `oci-archive:${file}:${image}`) },
  { by: 'tar of a layout', keepsManifest: true, write: async (file) => await tarOf(world.layouts.layout(image), file) },
  { by: 'tar of a layout, gzip', keepsManifest: true, write: async (file) => await tarOf(world.layouts.layout(image), file, ['-z']) },
];

describe('written by peers, loaded here', () => {
  for (const { by, write, keepsManifest = false, holds = 1 } of written)
    test(
      by,
      async () => {
        const { strake, peers } = world;
        const file = path('theirs.tar');
        rmSync(file, { force: true });
        await write(file);
        await strake.forget(image, second);
        const lines = (await strake.do('load', '-i', file)).split('\n');
        const loaded = lines.map((line) => line.replace(/^Loaded image(?: ID)?: /, ''));
        expect(loaded).toHaveLength(holds);
        // docker writes the images of an archive in the order of a Go map, which is left to chance.
        const reference = loaded.find((name) => name === image) ?? loaded[0] ?? '';
        expect(await strake.tree(reference)).toBe(tree);
        expect(await strake.id(reference)).toBe(documents.configurations[0] ?? '');
        const back = world.reference('loaded', 'image');
        await strake.push(reference, back);
        expect((await documentsAt(peers, back)).manifest === documents.manifest).toBe(keepsManifest);
        await strake.forget(...loaded, back);
      },
      stepMs,
    );
});

describe('saved here, read by peers', () => {
  let file: string;

  beforeAll(async () => {
    const { strake } = world;
    file = path('ours.tar');
    for (const reference of [image, second]) await strake.pull(reference);
    await strake.save(file, image);
    for (const client of [world.docker, world.podman, world.buildah]) await client.forget(image, second);
  }, setupMs);

  test('skopeo takes the very manifest out of it, or the same configuration as docker-archive', async () => {
    const { peers } = world;
    const targets = { oci: world.reference('skopeo', 'oci'), docker: world.reference('skopeo', 'docker') };
    await skopeo(`oci-archive:${file}`, `docker://${targets.oci}`);
    expect(await documentsAt(peers, targets.oci)).toEqual(documents);
    await skopeo(`docker-archive:${file}`, `docker://${targets.docker}`);
    expect((await documentsAt(peers, targets.docker)).configurations).toEqual(documents.configurations);
  });

  test('umoci unpacks it as a layout', async () => {
    const { layouts, peers } = world;
    const layout = layouts.layout('from-archive');
    await peers.output(['sh', '-c', 'mkdir "$1" && tar -C "$1" -xf "$0"', file, layout]);
    expect(await layouts.tree('from-archive')).toBe(tree);
    await layouts.forget('from-archive');
  });

  test('buildah pulls it, in both forms', async () => {
    const { buildah, peers } = world;
    for (const form of ['oci-archive', 'docker-archive']) {
      const id = (await buildah.do('pull', '--quiet', `${form}:${file}`)).split('\n').at(-1) ?? '';
      expect([`sha256:${id}`, await buildah.tree(id)]).toEqual([documents.configurations[0] ?? '', tree]);
      await buildah.forget(id);
    }
    expect(await peers.output(['buildah', ...storageFlags(peers, 'buildah'), 'images', '--quiet'])).toBe('');
  });

  test.each(['docker', 'podman'] as const)('%s loads two of one archive', async (name) => {
    const { strake, [name]: client } = world;
    const both = path('both.tar');
    await strake.do('save', '-o', both, image, second);
    await client.load(both);
    expect(await client.tree(image)).toBe(tree);
    expect(await Promise.all([image, second].map(async (one) => await client.id(one)))).toEqual(
      await Promise.all([image, second].map(async (one) => await strake.id(one))),
    );
    await client.forget(image, second);
  });
});
