/** What tests of `ctr` on the real containerd begin with, and what each of them does over its runtimes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../fixtures/registry.ts';
import { idleSnapshot, leaksSince, type Snapshot } from '../lib/leaks.ts';
import { PeerWorld } from '../lib/peer-world.ts';
import { seenOver } from './client.ts';
import { ctrSteps, image } from './ctr-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
export const stepMs = 120_000;

/** The real containerd, which has run a container of the image; from the first test of the file to its last. */
export interface CtrWorld {
  readonly peers: PeerWorld;
  leaks(): Promise<string[]>;
}

export function startCtrWorld(): CtrWorld {
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
  return {
    get peers() {
      return peers;
    },
    leaks: async () => await leaksSince(before, peers),
  };
}

/** Tests: what each step shows over the second runtime is what it shows over the first. */
export function testSteps(world: CtrWorld, title: string, runtimes: readonly [theirs: string, ours: string]): void {
  describe(title, () => {
    for (const { name, play } of ctrSteps(() => world.peers))
      test(
        name,
        async () => {
          const { peers } = world;
          const seen = [];
          for (const runtime of runtimes) seen.push(await seenOver({ name, play }, { place: peers, runtime, command: ['ctr'], work: peers.world.work }));
          expect(seen[1]).toEqual(seen[0] ?? []);
        },
        stepMs,
      );
  });
}

/** Tests: a file or a program gets what a container says; `run` is the command that runs one. */
export function testLogUri(peers: () => PeerWorld, run: (id: string, flags: readonly string[], command: readonly string[]) => readonly string[]): void {
  test.each(['file', 'binary'])(
    '--log-uri %s://',
    async (scheme) => {
      const { work } = peers().world;
      const log = join(work, `${scheme}.log`);
      const logger = join(work, 'logger');
      writeFileSync(logger, '#!/bin/sh\nexec 5>&-\necho "$CONTAINER_NAMESPACE/$CONTAINER_ID $1" >> "$2"\ncat <&3 >> "$2"\n', { mode: 0o755 });
      const uri = scheme === 'file' ? `file://${log}` : `binary://${logger}?to=${log}`;
      await peers().output(run('logged', ['--rm', '--log-uri', uri], ['sh', '-c', 'echo one; echo two']));
      expect(readFileSync(log, 'utf8')).toBe(scheme === 'file' ? 'one\ntwo\n' : 'default/logged to\none\ntwo\n');
    },
    stepMs,
  );
}
