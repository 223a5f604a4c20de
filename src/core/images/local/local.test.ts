import { describe } from 'bun:test';
import { openTestCore } from '../../fixtures.ts';
import { imagesConformance } from '../conformance.ts';

describe('local image store', () => {
  imagesConformance(async () => {
    const core = openTestCore();
    return { store: core.images, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });
});
