import { closeSync, fsyncSync, lstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Digester, isDigest, parseDigest } from '../../../oci/index.ts';

const chunkBytes = 1 << 20;

/**
 * After a crash: a file that is named under `blobs` and still under `ingests` was being published. One that hashes to its name was whole, and is made durable;
 * another has lost bytes to a power loss, and goes with both names. Synchronous, so that nobody looks before; they are few, most often none.
 */
export function settleTwoNamed(ingests: string, blobs: string): void {
  const twoNamed = new Map<number, string>();
  for (const name of readdirSync(ingests)) {
    const file = path.join(ingests, name);
    const { ino, nlink } = lstatSync(file);
    if (nlink > 1) twoNamed.set(ino, file);
  }
  if (twoNamed.size === 0) return;
  for (const algorithm of readdirSync(blobs))
    for (const hex of readdirSync(path.join(blobs, algorithm))) {
      const blob = path.join(blobs, algorithm, hex);
      const ingest = twoNamed.get(lstatSync(blob).ino);
      if (ingest === undefined) continue;
      const digest = `${algorithm}:${hex}`;
      if (!isDigest(digest) || !isWhole(blob, digest)) rmSync(blob);
      rmSync(ingest);
    }
}

/** Whether the file hashes to its name; then it is on the disk too. */
function isWhole(file: string, digest: string): boolean {
  const descriptor = openSync(file, 'r');
  try {
    const digester = new Digester(parseDigest(digest).algorithm);
    const buffer = Buffer.allocUnsafeSlow(chunkBytes);
    for (let count = readSync(descriptor, buffer); count > 0; count = readSync(descriptor, buffer)) digester.update(buffer.subarray(0, count));
    if (digester.digest() !== digest) return false;
    fsyncSync(descriptor);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
