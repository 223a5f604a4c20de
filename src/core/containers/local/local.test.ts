import { describe } from 'bun:test';
import { openTestCore } from '../../fixtures.ts';
import { containersConformance } from '../conformance.ts';

describe('local container store', () => {
  containersConformance(async () => {
    const core = openTestCore();
    return { store: core.containers, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });
});
