import { expect, test } from 'bun:test';
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestOf } from '../../../oci/index.ts';
import { BlobFiles } from './blob-files.ts';

class Place implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'strake-blobs-'));

  ingest(id: number, bytes: string): void {
    writeFileSync(path.join(this.root, 'content/ingest', String(id)), bytes);
  }

  get names() {
    return { ingests: readdirSync(path.join(this.root, 'content/ingest')).toSorted(), blobs: readdirSync(path.join(this.root, 'content/blobs/sha256')) };
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

const digest = digestOf('whole');
const hex = digest.slice(7);

test('a blob is shown to nobody before its bytes are on the disk; who publishes the same waits', async () => {
  using place = new Place();
  const files = new BlobFiles(place.root);
  for (const id of [1, 2]) place.ingest(id, 'whole');
  const synced = Promise.withResolvers<void>();
  const order: string[] = [];
  const publish = async (id: number, sync: () => Promise<void>) => await files.publish(id, digest, { sync, record: () => order.push(`recorded ${id}`) });
  const first = publish(1, async () => await synced.promise);
  const second = publish(2, async () => void order.push('second'));
  expect(place.names).toEqual({ ingests: ['1', '2'], blobs: [hex] });
  files.unlink(digest);
  expect([files.stat(digest), files.digests()]).toEqual([undefined, []]);
  synced.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['recorded 1', 'second', 'recorded 2']);
  expect(files.stat(digest)?.sizeBytes).toBe(5);
  expect(place.names).toEqual({ ingests: [], blobs: [hex] });
});

test('an ingest whose bytes cannot be brought to the disk stays one', async () => {
  using place = new Place();
  const files = new BlobFiles(place.root);
  place.ingest(1, 'whole');
  const failing = files.publish(1, digest, { sync: async () => await Promise.reject(new Error('EIO')), record: () => undefined });
  expect(await failing.catch((error: Error) => error.message)).toBe('EIO');
  expect(place.names).toEqual({ ingests: ['1'], blobs: [] });
  expect(files.stat(digest)).toBeUndefined();
});

test.each([
  ['whole', 'hashes to its name, and is kept', [hex]],
  ['\0\0\0\0\0', 'lost bytes, and goes', []],
])('what a crash left with two names (%j) %s', (bytes, _, blobs) => {
  using place = new Place();
  new BlobFiles(place.root);
  place.ingest(1, bytes);
  linkSync(path.join(place.root, 'content/ingest/1'), path.join(place.root, 'content/blobs/sha256', hex));
  new BlobFiles(place.root);
  expect(place.names).toEqual({ ingests: [], blobs });
});

test('an ingest with one name is left alone by the next start', () => {
  using place = new Place();
  new BlobFiles(place.root);
  place.ingest(1, 'wh');
  new BlobFiles(place.root);
  expect(readFileSync(path.join(place.root, 'content/ingest/1'), 'utf8')).toBe('wh');
});
