/** The real `ctr` on the socket of `strake containerd`, and on the real containerd's: images, content, snapshots, leases, namespaces, containers, events. What is seen must be equal. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { startRegistry, startScratchRegistry } from '../fixtures/registry.ts';
import { strakeDist } from '../lib/dist.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import type { Running } from '../lib/process.ts';
import { type CtrOptions, seenOn } from './store-client.ts';
import { storeSteps } from './store-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

let peers: PeerWorld;
let daemon: Running;
let engines: readonly Omit<CtrOptions, 'namespace'>[];

beforeAll(async () => {
  peers = await PeerWorld.start();
  await Promise.all([startRegistry(peers), startScratchRegistry(peers), peers.startContainerd()]);
  const { work } = peers.world;
  const socket = join(work, 'strake.sock');
  const [root, state] = [join(work, 'strake'), join(work, 'strake-state')];
  daemon = peers.world.spawn([join(strakeDist, 'strake'), 'containerd', '--root', root, '--state', state, '--address', socket]);
  await daemon.output(/msg="?serving/, { stream: 'stderr' });
  const common = { place: peers, work };
  engines = [
    { ...common, name: 'peer-one', socket: peers.containerdSocket, snapshots: join(work, 'containerd/io.containerd.snapshotter.v1.overlayfs/snapshots') },
    { ...common, name: 'peer-two', socket, snapshots: join(root, 'snapshots') },
  ];
}, setupMs);

afterAll(async () => {
  await daemon.stop();
  await peers[Symbol.asyncDispose]();
}, setupMs);

describe('ctr on strake containerd as on containerd', () => {
  for (const [index, step] of storeSteps.entries())
    test(
      step.name,
      async () => {
        const seen = [];
        for (const engine of engines) seen.push(await seenOn(step, { ...engine, namespace: `step${index}` }));
        expect(seen[1]).toEqual(seen[0] ?? []);
      },
      stepMs,
    );
});
