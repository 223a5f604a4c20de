import { expect } from 'bun:test';
import type { ImageRecipe } from '../fixtures/exchanged-images.ts';
import { type Documents, documentsAt } from './image-clients.ts';
import { differences, keepsManifest, type PeerName, peerNames, refusals } from './image-differences.ts';
import type { ImageWorld } from './image-world.ts';

export interface Journey {
  readonly original: string;
  /** What we pushed of it. */
  readonly ours: string;
  /** Listing of it in our engine. */
  readonly tree: string;
  readonly sent: Documents;
  /** How it went with each peer. */
  readonly outcomes: ReadonlyMap<PeerName, PromiseSettledResult<void>>;
}

/** Has our engine pull the image and push it, and then, all at once so that they take half the time, each peer pull and push that, and ours pull it from them. */
export async function sendAround(world: ImageWorld, image: ImageRecipe): Promise<Journey> {
  const { strake, peers } = world;
  const original = await world.upload(image);
  const ours = world.reference('strake', image.name);
  await strake.pull(original);
  const tree = await strake.tree(original);
  await strake.push(original, ours);
  const sent = await documentsAt(peers, ours);
  const outcomes = await Promise.allSettled(peerNames.map(async (peer) => await thereAndBack(world, image, peer, { ours, tree, sent })));
  return { original, ours, tree, sent, outcomes: new Map(peerNames.map((peer, index) => [peer, outcomes[index] as PromiseSettledResult<void>])) };
}

async function thereAndBack(
  world: ImageWorld,
  image: ImageRecipe,
  peer: PeerName,
  { ours, tree, sent }: Pick<Journey, 'ours' | 'tree' | 'sent'>,
): Promise<void> {
  const { strake, peers } = world;
  const client = world.client(peer);
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

/** What an attempt says when it fails. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    return String(error);
  }
  return 'it succeeded';
}

/** Whether something known is about this image and this peer. */
export function isAbout(image: string, peer: PeerName): (known: { readonly image: string; readonly peers: readonly PeerName[] }) => boolean {
  return (known) => known.image === image && known.peers.includes(peer);
}

/** The trees must be the same, but for the lines that are known to differ, and these must. */
export function expectSameTree(theirs: string, ours: string, image: string, peer: PeerName): void {
  const known = differences.find(isAbout(image, peer));
  const kept = (tree: string) => tree.split('\n').filter((line) => known?.lines.test(line) !== true);
  expect(kept(theirs)).toEqual(kept(ours));
  if (known !== undefined) expect(theirs).not.toBe(ours);
}
