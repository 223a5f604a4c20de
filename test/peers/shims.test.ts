/** Our manager of shims with the real containerd-shim-runc-v2: what it does is in shims-in-peer-root.ts, which runs where that shim can. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { idleSnapshot, leaksSince } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root

let peers: PeerWorld;

beforeAll(async () => {
  peers = await PeerWorld.start();
}, setupMs);

afterAll(async () => {
  await peers[Symbol.asyncDispose]();
}, setupMs);

test(
  'the real shim under our manager, and nothing left of it',
  async () => {
    const before = await idleSnapshot(peers);
    const built = await Bun.build({
      entrypoints: [join(import.meta.dirname, 'shims-in-peer-root.ts')],
      target: 'bun',
      external: ['bun:test'],
      outdir: peers.world.work,
      naming: 'shims.test.js',
    });
    expect(built.success).toBe(true);
    // Our executable is a Bun; the peer root has no other.
    const argv = ['env', 'BUN_BE_BUN=1', '/strake/strake', 'test', '--timeout=60000', join(peers.world.work, 'shims.test.js')];
    const { code, stderr } = await peers.run(argv, { timeoutMs: setupMs });
    expect({ code, said: code === 0 ? '' : stderr }).toEqual({ code: 0, said: '' });
    expect(stderr).toMatch(/^ 7 pass$/m);
    expect(await leaksSince(before, peers)).toEqual([]);
  },
  setupMs,
);
