/**
 * Images of every kind through our engine and our registry to each peer, and back: the tree must be the same in every attribute, and the digests where
 * the format promises it. What a peer is known to do in another way stands in image-differences.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exchangedImages } from '../fixtures/exchanged-images.ts';
import { documentsAt } from './image-clients.ts';
import { archiveRefusals, peerNames } from './image-differences.ts';
import { expectSameTree, isAbout, type Journey, refusalOf, sendAround } from './image-journey.ts';
import { ImageWorld } from './image-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

let world: ImageWorld;

beforeAll(async () => {
  world = await ImageWorld.start();
}, setupMs);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
}, setupMs);

for (const image of exchangedImages)
  describe(image.name, () => {
    let journey: Journey;

    beforeAll(async () => {
      journey = await sendAround(world, image);
    }, setupMs);

    afterAll(async () => {
      await world.strake.forget(journey.original, journey.ours);
    }, setupMs);

    test('runs here, and is pushed as it was pulled', async () => {
      for (const pattern of image.shows ?? []) expect(journey.tree).toMatch(pattern);
      for (const pattern of image.hides ?? []) expect(journey.tree).not.toMatch(pattern);
      const whole = await documentsAt(world.peers, journey.original);
      // Of an index only this machine's image was pulled, and is there to be pushed.
      if (image.form === 'index of two platforms') expect(whole.images).toContain(journey.sent.manifest);
      else expect(journey.sent).toEqual(whole);
    });

    for (const peer of peerNames)
      test(`${peer}: there and back`, () => {
        const outcome = journey.outcomes.get(peer);
        if (outcome?.status === 'rejected') throw outcome.reason;
        expect(outcome?.status).toBe('fulfilled');
      });

    for (const peer of image.isArchived === true ? (['docker', 'podman'] as const) : [])
      test(
        `${peer}: saved here and loaded there, and back`,
        async () => {
          const { strake, peers, [peer]: client } = world;
          const { original, ours, tree } = journey;
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
