import { describe } from 'bun:test';
import { openTestCore } from '../../fixtures.ts';
import { leasesConformance } from '../conformance.ts';

describe('local lease store', () => {
  leasesConformance(async () => {
    const core = openTestCore();
    return { store: core.leaseStore, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });
});
