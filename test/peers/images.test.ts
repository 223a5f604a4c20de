/**
 * Images of every kind through our engine and our registry to each peer, and back: the tree must be the same in every attribute, and the digests where
 * the format promises it. What a peer is known to do in another way stands in image-differences.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exchangedImages } from '../fixtures/exchanged-images.ts';
import { type ContainerClient, type Documents, documentsAt, type ImageClient } from './image-clients.ts';
import { archiveRefusals, differences, keepsManifest, type PeerName, peerNames, refusals } from './image-differences.ts';
import { ImageWorld } from './image-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

let world: ImageWorld;
let clients: Readonly<Record<PeerName, ImageClient>>;

beforeAll(async () => {
  world = await ImageWorld.start();
  const { docker, podman, buildah, layouts } = world;
  clients = { docker, podman, buildah, 'skopeo and umoci': layouts };
}, setupMs);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, setupMs);

/** What an attempt says when it fails. */
async function refusalOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    return String(error);
  }
  return 'it succeeded';
}

const isAbout =
  (image: string, peer: PeerName) =>
  (known: { readonly image: string; readonly peers: readonly PeerName[] }): boolean =>
    known.image === image && known.peers.includes(peer);

/** The trees must be the same, but for the lines that are known to differ, and these must. */
function expectSameTree(theirs: string, ours: string, image: string, peer: PeerName): void {
  const known = differences.find(isAbout(image, peer));
  const kept = (tree: string) => tree.split('\n').filter((line) => known?.lines.test(line) !== true);
  expect(kept(theirs)).toEqual(kept(ours));
  if (known !== undefined) expect(theirs).not.toBe(ours);
}

for (const image of exchangedImages)
  describe(image.name, () => {
    let original: string;
    let ours: string;
    let tree: string;
    let sent: Documents;
    /** All peers at once, so that they take half the time; a test each tells how it went. */
    let journeys: ReadonlyMap<PeerName, PromiseSettledResult<void>>;

    beforeAll(async () => {
      const { strake, peers } = world;
      original = await world.upload(image);
      ours = world.reference('strake', image.name);
      await strake.pull(original);
      tree = await strake.tree(original);
      await strake.push(original, ours);
      sent = await documentsAt(peers, ours);
      const outcomes = await Promise.allSettled(peerNames.map(async (peer) => await journey(peer)));
      journeys = new Map(peerNames.map((peer, index) => [peer, outcomes[index] as PromiseSettledResult<void>]));
    }, setupMs);

    afterAll(async () => {
      await world.strake.forget(original, ours);
    }, setupMs);

    /** From our push to the peer, and from its push to us. */
    async function journey(peer: PeerName): Promise<void> {
      const { strake, peers } = world;
      const client = clients[peer];
      const refusal = refusals.find(isAbout(image.name, peer));
      const seen = async () => {
        await client.pull(ours);
        return await client.tree(ours);
      };
      if (refusal !== undefined) {
        expect(await refusalOf(seen)).toMatch(refusal.message);
        return;
      }
      expectSameTree(await seen(), tree, image.name, peer);
      const theirs = world.reference(peer, image.name);
      await client.push(ours, theirs);
      const back = await documentsAt(peers, theirs);
      expect(back.manifest === sent.manifest).toBe(keepsManifest(peer, image.name));
      if (image.form !== 'oci, sha512') expect(back.configurations).toEqual(sent.configurations);
      await strake.pull(theirs);
      expect(await strake.tree(theirs)).toBe(tree);
      await strake.forget(theirs);
      await client.forget(ours, theirs);
    }

    test('runs here, and is pushed as it was pulled', async () => {
      for (const pattern of image.shows ?? []) expect(tree).toMatch(pattern);
      for (const pattern of image.hides ?? []) expect(tree).not.toMatch(pattern);
      const whole = await documentsAt(world.peers, original);
      // Of an index only this machine's image was pulled, and is there to be pushed.
      if (image.form === 'index of two platforms') expect(whole.images).toContain(sent.manifest);
      else expect(sent).toEqual(whole);
    });

    for (const peer of peerNames)
      test(`${peer}: there and back`, () => {
        const outcome = journeys.get(peer);
        if (outcome?.status === 'rejected') throw outcome.reason;
        expect(outcome?.status).toBe('fulfilled');
      });

    for (const peer of image.isArchived === true ? (['docker', 'podman'] as const) : [])
      test(
        `${peer}: saved here and loaded there, and back`,
        async () => {
          const { strake, peers } = world;
          const client = clients[peer] as ContainerClient;
          const file = join(peers.world.work, `${peer}-${image.name}.tar`);
          const back = join(peers.world.work, `${peer}-${image.name}-back.tar`);
          const refusal = archiveRefusals.find(isAbout(image.name, peer));
          const id = await strake.id(ours);
          await strake.save(file, ours);
          const there = async () => {
            await client.load(file);
            expectSameTree(await client.tree(ours), tree, image.name, peer);
            await client.save(back, ours);
          };
          if (refusal !== undefined) expect(await refusalOf(there)).toMatch(refusal.message);
          else {
            await there();
            if (image.form !== 'oci, sha512') expect(await client.id(ours)).toBe(id);
            await client.forget(ours);
            await strake.forget(ours, original);
            await strake.load(back);
            expect(await strake.tree(ours)).toBe(tree);
            if (image.form !== 'oci, sha512') expect(await strake.id(ours)).toBe(id);
          }
          for (const one of [file, back]) rmSync(one, { force: true });
        },
        stepMs,
      );
  });
