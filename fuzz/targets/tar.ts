import fc from 'fast-check';
import { pathText } from '../../src/base/index.ts';
import { defaultLayerLimits } from '../../src/core/diff/diff.ts';
import { LayerOperations } from '../../src/core/diff/layer-operations.ts';
import { encodeEntry, endOfArchive, paddingOf } from '../../src/core/diff/tar/encode.ts';
import type { TarEntry } from '../../src/core/diff/tar/entry.ts';
import { TarReader } from '../../src/core/diff/tar/reader.ts';
import { accepted, check } from '../target.ts';

const kind = fc.constantFrom<TarEntry['kind']>('file', 'file', 'directory', 'symlink', 'link', 'character', 'block', 'fifo');
const part = fc.constantFrom('a', 'b', '..', '.', '', '.wh.a', '.wh..wh..opq', '.wh.', '.wh...', 'ü', pathText(Buffer.from([0xff])));
const path = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/')),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
  fc.constant('n/'.repeat(200)),
);
const content = fc.uint8Array({ maxLength: 1100 }).map((bytes) => Buffer.from(bytes));
const entry = fc
  .record({
    kind,
    name: path,
    linkName: path,
    mode: fc.nat(0o7777),
    uid: fc.nat(),
    gid: fc.nat(),
    mtimeNs: fc.bigInt(-(2n ** 62n), 2n ** 62n),
    devMajor: fc.nat(0xfff),
    devMinor: fc.nat(0xfffff),
    xattrs: fc.array(
      fc.tuple(fc.constantFrom('user.a', 'user.overlay.x', 'trusted.overlay.opaque', 'security.capability', 'system.posix_acl_default'), content),
      {
        maxLength: 2,
      },
    ),
    content,
  })
  .map(({ content: bytes, ...rest }) => {
    const sizeBytes = rest.kind === 'file' ? bytes.length : 0;
    return Buffer.concat([encodeEntry({ ...rest, sizeBytes }), bytes.subarray(0, sizeBytes), paddingOf(sizeBytes)]);
  });
/** Bytes of a header field, or of an extended header, become others; and the sum is mended, or nothing gets beyond it. */
const change = fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(...[...'0178SxgLKM= \n'].map((letter) => letter.charCodeAt(0)), 0, 0x80, 0xff)));
const archive = fc
  .tuple(fc.array(entry, { maxLength: 5 }), fc.array(change, { maxLength: 6 }), fc.boolean(), fc.nat(3000))
  .map(([entries, changes, mends, cut]) => {
    const bytes = Buffer.concat([...entries, endOfArchive]);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    if (mends) for (let at = 0; at + 512 <= bytes.length; at += 512) mend(bytes.subarray(at, at + 512));
    return cut % 4 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
  });

function mend(block: Buffer): void {
  if (block.toString('latin1', 257, 262) !== 'ustar') return;
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** Archives, whole and changed: each file has as much content as was said, and no operation names what is outside of the root. */
export function tar(runs: number, seed: number): void {
  const property = fc.property(archive, fc.integer({ min: 1, max: 1500 }), fc.constantFrom('overlay' as const, 'plain' as const), (bytes, step, whiteouts) => {
    const operations = new LayerOperations(whiteouts, { ...defaultLayerLimits, entries: 100, bytes: 1 << 20 });
    accepted(() => {
      const reader = new TarReader(operations, { entries: 100, headerBytes: 8192 });
      for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
      reader.end();
      operations.end();
    });
    checkOperations(operations.take());
  });
  fc.assert(property, { numRuns: runs, seed });
}

function checkOperations(operations: ReturnType<LayerOperations['take']>): void {
  let left = 0;
  for (const operation of operations) {
    if (operation.op === 'file_data') left -= operation.data.length;
    else if (operation.op === 'file_hole') left -= Number(operation.size);
    else {
      check(left === 0, `${left} bytes are missing before ${operation.op}`);
      if (operation.op === 'file_create') left = Number(operation.size);
    }
    check(left >= 0, 'more content than was said');
    if ('path' in operation) checkPath(operation.path);
    if (operation.op === 'file_link') checkPath(operation.target);
    if (operation.op === 'file_xattr')
      check(
        !/^(trusted|user)\.overlay\./.test(operation.name) || (operation.name === 'trusted.overlay.opaque' && Buffer.from(operation.value).toString() === 'y'),
        operation.name,
      );
  }
}

function checkPath(name: string): void {
  check(!name.startsWith('/') && !name.includes('\0') && !name.split('/').includes('..'), `the path ${JSON.stringify(name)}`);
}
