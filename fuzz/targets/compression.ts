import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { StrakeError } from '../../src/base/index.ts';
import { decompress } from '../../src/core/diff/decompress.ts';
import { check } from '../target.ts';

const text = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(20_000).map((length) => Buffer.alloc(length, 'strake')),
);
const change = fc.tuple(fc.nat(), fc.nat(255));

/** Streams of gzip and zstd, several one after the other, cut into pieces: whole they give what went in, changed or cut short they give DataLoss, or what was not changed. */
export async function compression(runs: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(
    fc.constantFrom('gzip' as const, 'zstd' as const),
    fc.array(text, { minLength: 1, maxLength: 3 }),
    fc.array(change, { maxLength: 2 }),
    fc.option(fc.nat()),
    fc.integer({ min: 1, max: 400 }),
    async (format, texts, changes, cut, step) => {
      const pack = format === 'gzip' ? gzipSync : zstdCompressSync;
      const whole = Buffer.concat(texts.map((part) => pack(part)));
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const given = cut === null ? bytes : bytes.subarray(0, cut % bytes.length);
      const found = await unpacked(given, format, step);
      if (given.equals(whole)) check(found?.equals(Buffer.concat(texts)) === true, `${format} does not come back`);
      if (found !== undefined) check(found.length <= given.length * 40_000, `${found.length} bytes out of ${given.length}`);
    },
  );
  await fc.assert(property, { numRuns: runs, seed });
}

/** undefined where it is refused as it should. */
async function unpacked(bytes: Buffer, format: 'gzip' | 'zstd', step: number): Promise<Buffer | undefined> {
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
  })();
  const parts: Uint8Array[] = [];
  try {
    for await (const part of decompress(source, format)) parts.push(part);
    return Buffer.concat(parts);
  } catch (error) {
    check(error instanceof StrakeError && error.code === 'DataLoss', `${error}`);
    return undefined;
  }
}
