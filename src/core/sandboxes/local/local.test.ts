import { describe } from 'bun:test';
import { openTestCore } from '../../fixtures.ts';
import { sandboxesConformance } from '../conformance.ts';

describe('local sandbox store', () => {
  sandboxesConformance(async () => {
    const core = openTestCore();
    return { store: core.sandboxes, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });
});
