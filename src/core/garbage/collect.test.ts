import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from '../../base/index.ts';
import { silentLogger } from '../../base/index.ts';
import { writeTar } from '../diff/tar/writer.ts';
import { openTestCore, type TestCore } from '../fixtures.ts';
import { importImage } from '../images/import-image.ts';
import { collectGarbage } from './collect.ts';

function add(core: TestCore, name: string) {
  return importImage(core, { name, config: {}, layers: [writeTar([{ name, type: 'file', mode: 0o644, content: Buffer.from(name) }])] });
}

test('a damaged manifest is named, set aside, and in nobody’s way', async () => {
  using core = openTestCore();
  const damaged = await add(core, 'damaged');
  await add(core, 'whole');
  const removed = await add(core, 'removed');
  await core.images.delete('removed');
  const hex = damaged.target.digest.slice(7);
  writeFileSync(path.join(core.root, 'content/blobs/sha256', hex), 'no manifest');
  const told: unknown[] = [];
  const log: Logger = { ...silentLogger, error: (_message, fields) => told.push(fields?.['image']) };
  const { blobs, snapshots } = await collectGarbage({ ...core, log });
  expect(told).toEqual(['damaged']);
  // Of `removed` three blobs and a layer; of `damaged` what its manifest alone could tell about.
  expect([blobs.includes(removed.target.digest), blobs.length, snapshots.length]).toEqual([true, 5, 2]);
  // Importing it again heals it.
  expect((await add(core, 'damaged')).target.digest).toBe(damaged.target.digest);
  expect((await collectGarbage(core)).blobs).toEqual([]);
});
