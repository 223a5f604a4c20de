/** The real containerd with strake-runc by `ctr run --runc-binary`, beside runc, in one world. What is seen must be equal. */
import { expect, test } from 'bun:test';
import { strakeRuncInPeerRoot } from '../lib/dist.ts';
import { startCtrWorld, testSteps } from './ctr-tests.ts';

const world = startCtrWorld();

testSteps(world, 'over strake-runc as over runc', ['/usr/sbin/runc', strakeRuncInPeerRoot]);

test('nothing is left in the kernel', async () => {
  expect(await world.leaks()).toEqual([]);
});
