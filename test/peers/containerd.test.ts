/** The real containerd with strake-runc by `ctr run --runc-binary`, beside runc, in one world. What is seen must be equal. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startRegistry } from '../fixtures/registry.ts';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { seenOver } from './client.ts';
import { ctrSteps, image } from './ctr-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;
const runtimes = ['/usr/sbin/runc', strakeRuncInPeerRoot];

let peers: PeerWorld;
let before: Snapshot;

beforeAll(async () => {
  peers = await PeerWorld.start();
  await startRegistry(peers);
  await peers.startContainerd();
  await peers.output(['ctr', 'images', 'pull', '--plain-http', image]);
  await peers.output(['ctr', 'run', '--rm', image, 'warm', 'true']);
  before = await idleSnapshot(peers);
}, setupMs);

afterAll(async () => {
  await peers[Symbol.asyncDispose]();
}, setupMs);

describe('over strake-runc as over runc', () => {
  for (const { name, play } of ctrSteps(() => peers))
    test(
      name,
      async () => {
        const seen = [];
        for (const runtime of runtimes) seen.push(await seenOver({ name, play }, { place: peers, runtime, command: ['ctr'], work: peers.world.work }));
        expect(seen[1]).toEqual(seen[0] ?? []);
      },
      stepMs,
    );
});

test('nothing is left in the kernel', async () => {
  expect(await leaksSince(before, peers)).toEqual([]);
});
