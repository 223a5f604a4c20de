/** Our manager of shims with the real containerd-shim-runc-v2: what it does is in files beside this one, which run where that shim can. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { idleSnapshot, settledLeaks, snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root

/** Our shim stays for some seconds after its last task. */
const isExpected = (line: string) => /containerd-shim -namespace tasks |\/run\/strake\/shim\//.test(line);

let peers: PeerWorld;

beforeAll(async () => {
  peers = await PeerWorld.start();
}, setupMs);

afterAll(async () => {
  await peers[Symbol.asyncDispose]();
}, setupMs);

test.each([
  ['the real shim under our manager', 'shims-in-peer-root.ts', 7],
  ['shims as strake cri has them', 'shim-tasks-in-peer-root.ts', 22],
] as const)(
  '%s, and nothing left of it',
  async (_name, file, passing) => {
    const before = await idleSnapshot(peers);
    const built = await Bun.build({
      entrypoints: [join(import.meta.dirname, file)],
      target: 'bun',
      external: ['bun:test'],
      outdir: peers.world.work,
      naming: 'shims.test.js',
    });
    expect(built.success).toBe(true);
    // Our executable is a Bun; the peer root has no other.
    const argv = [
      'env',
      'BUN_BE_BUN=1',
      'STRAKE_INIT=/strake/strake-init',
      '/strake/strake',
      'test',
      '--timeout=60000',
      join(peers.world.work, 'shims.test.js'),
    ];
    const { code, stderr } = await peers.run(argv, { timeoutMs: setupMs });
    expect({ code, said: code === 0 ? '' : stderr }).toEqual({ code: 0, said: '' });
    expect(stderr).toMatch(new RegExp(`^ ${passing} pass$`, 'm'));
    expect(await settledLeaks(before, async () => await snapshot(peers), isExpected)).toEqual([]);
  },
  setupMs,
);
