import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { keptObjects } from '../../base/fixtures-memory.ts';
import { initPath } from '../../core/fixtures.ts';
import { ZygoteLauncher } from './zygote.ts';

test('a launch leaves nothing in memory', async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'strake-zygote-'));
  try {
    await using launcher = new ZygoteLauncher({ initPath, socketPath: path.join(directory, 'zygote.sock') });
    expect(await keptObjects(300, async () => await launcher.run([]))).toBeLessThan(2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
