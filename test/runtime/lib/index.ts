import { afterAll, afterEach, beforeAll, expect } from 'bun:test';
import type { Account } from './account.ts';
import { RuntimeWorld } from './runtime-world.ts';

/** @public */
export { ordinaryUser, subordinate } from './account.ts';
/** @public */
export { cgroupFile, cgroupVersion, isFrozen, readCgroup } from './cgroup.ts';
/** @public */
export { receiveConsole, receivePidfd } from './receive-descriptor.ts';
export type { TestSpec } from './spec.ts';

/**
 * The world of a test file: call it at the file's top level, and use its `current` inside tests. After each test nothing
 * of it may be left; containers are deleted by `await using`.
 */
export function useRuntimeWorld(account?: Account): { readonly current: RuntimeWorld } {
  let world: RuntimeWorld | undefined;
  beforeAll(async () => {
    world = await RuntimeWorld.start(account);
  });
  afterEach(async () => {
    const left = await world?.leaks();
    world?.acceptPresent(); // one test's leak fails that test alone
    expect(left).toEqual([]);
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });
  return {
    get current(): RuntimeWorld {
      if (world === undefined) throw new Error('the world is there inside tests only');
      return world;
    },
  };
}
