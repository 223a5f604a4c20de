import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../../../oci/index.ts';
import { openTestCore, rejection } from '../../fixtures.ts';
import { contentConformance } from '../conformance.ts';

describe('local content store', () => {
  contentConformance(async () => {
    const core = openTestCore();
    return { store: core.content, [Symbol.asyncDispose]: async () => core[Symbol.dispose]() };
  });

  test('a blob that was changed on disk is DataLoss; one whose row is lost is found by its file', async () => {
    using core = openTestCore();
    const digest = digestOf('lost row');
    const file = path.join(core.root, 'content/blobs/sha256', digest.slice(7));
    writeFileSync(file, 'lost row');
    expect((await core.content.info(digest)).sizeBytes).toBe(8);
    writeFileSync(file, 'changed!');
    // Whoever says how much is read knows the blob.
    expect(Buffer.concat(await Array.fromAsync(core.content.read(digest, { length: 8 }))).toString()).toBe('changed!');
    const aside = path.join(core.root, `content/damaged/sha256-${digest.slice(7)}`);
    const damage = `DataLoss: blob ${digest} is damaged: it does not hash to its name; it was set aside as ${aside}`;
    expect(await rejection(core.content.readAll(digest, 100))).toBe(damage);
    expect(readFileSync(aside, 'utf8')).toBe('changed!');
    expect(await rejection(core.content.readAll(digest, 100))).toBe(`NotFound: content digest ${digest}: not found`);
    for (const options of [{}, { length: 8, verifies: true }]) {
      writeFileSync(file, 'no more!');
      expect(await rejection(Array.fromAsync(core.content.read(digest, options)))).toBe(damage);
    }
    expect(await rejection(core.content.info(digest))).toBe(`NotFound: content digest ${digest}: not found`);
  });

  test('nothing of an ingest stays after a mismatch', async () => {
    using core = openTestCore();
    await using writer = await core.content.writer({ ref: 'x', expectedDigest: digestOf('a') });
    await writer.write(Buffer.from('b'));
    await rejection(writer.commit({}));
    expect(readdirSync(path.join(core.root, 'content/ingest'))).toEqual([]);
    expect(readdirSync(path.join(core.root, 'content/blobs/sha256'))).toEqual([]);
  });
});
