import { afterAll, beforeAll, expect, test } from 'bun:test';
import { idleSnapshot, type Snapshot, settledLeaks, snapshot } from '../lib/leaks.ts';
import { type CriUnderKubelet, KubeletWorld } from './kubelet-world.ts';
import { type PodStep, warmUp } from './pod-steps.ts';

const setupMs = 600_000; // the first run on a machine builds the peer root
const stepMs = 120_000;

/** Tests: every step of a kubelet on this runtime, and that nothing is left of them. */
export function playPodSteps(runtime: CriUnderKubelet, steps: readonly PodStep[]): void {
  let world: KubeletWorld;
  let before: Snapshot;
  const options = () => ({ trees: world.trees, ignore: /daemon\.lock/ });

  beforeAll(async () => {
    world = await KubeletWorld.start(runtime);
    await warmUp.play(world);
    before = await idleSnapshot(world.peers, options());
  }, setupMs);

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  }, setupMs);

  for (const { name, play } of steps)
    test(
      name,
      async () => {
        await play(world);
      },
      stepMs,
    );

  test(
    'nothing is left',
    async () => {
      // They are others by now: the kubelet and the runtime.
      const isExpected = (line: string): boolean => /^process \w+: \d+ (\/strake\/strake (kubelet|cri)|\/strake\/strake-init zygote|containerd) /.test(line);
      expect(await settledLeaks(before, async () => await snapshot(world.peers, options()), isExpected)).toEqual([]);
    },
    stepMs,
  );
}
