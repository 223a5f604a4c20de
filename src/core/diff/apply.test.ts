import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../oci/index.ts';
import { openTestTree, rejection } from '../fixtures.ts';
import { applyLayer } from './apply.ts';
import type { ApplyOptions } from './diff.ts';
import type { TarEntry } from './tar/entry.ts';
import { rawEntry, rawFile, rawPax } from './tar/fixtures-tar.ts';
import { TarReader } from './tar/reader.ts';

const end = Buffer.alloc(1024);
const layer = (...parts: Buffer[]) => Buffer.concat([...parts, end]);

async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

/** A directory to unpack into, beside a canary that must not change. */
function place(): Disposable & { readonly root: string; readonly outside: () => string } {
  const base = mkdtempSync(path.join(tmpdir(), 'strake-apply-'));
  const root = path.join(base, 'root');
  mkdirSync(root);
  writeFileSync(path.join(base, 'canary'), 'sings');
  return {
    root,
    outside: () => `${execFileSync('ls', ['-A', base])}${readFileSync(path.join(base, 'canary'), 'utf8')}`,
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

async function apply(root: string, archive: Uint8Array, options: Partial<ApplyOptions> = {}) {
  await using tree = await openTestTree(root);
  return await applyLayer(inPieces(archive), tree, { name: 'L', compression: 'none', whiteouts: 'overlay', ...options });
}

/** Every entry below the root: type, mode, device, link target. */
function listing(root: string): string[] {
  const format = '%P %y %m %l\n';
  return execFileSync('find', [root, '-mindepth', '1', '-printf', format])
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .sort();
}

/** Extended attributes of one entry as `name=hex`, as GNU tar reads them. */
function xattrs(root: string, name: string): string[] {
  const found: string[] = [];
  const archive = execFileSync('tar', ['-C', root, '--xattrs', '--xattrs-include=*', '--no-recursion', '-cf', '-', name]);
  const entry = (read: TarEntry) => found.push(...read.xattrs.map(([key, value]) => `${key}=${value.toString('hex')}`));
  new TarReader({ entry, data: () => undefined, hole: () => undefined }, { entries: 1, headerBytes: 4096 }).push(archive);
  return found.sort();
}

const small = layer(rawEntry({ name: 'd/', type: '5', mode: 0o755 }), rawFile('d/f', 'hello'));

test.each<[ApplyOptions['compression'], Uint8Array]>([
  ['none', small],
  ['gzip', gzipSync(small)],
  ['gzip', Buffer.concat([gzipSync(small.subarray(0, 700)), gzipSync(small.subarray(700))])],
  ['zstd', zstdCompressSync(small)],
])('a %s layer', async (compression, bytes) => {
  using at = place();
  expect(await apply(at.root, bytes, { compression, expectedDiffId: digestOf(small) })).toEqual({
    diffId: digestOf(small),
    archiveBytes: small.length,
    sizeBytes: 5,
    inodes: 2,
    hasRoot: false,
  });
  expect(listing(at.root)).toEqual(['d d 755', 'd/f f 644']);
  expect(readFileSync(path.join(at.root, 'd/f'), 'utf8')).toBe('hello');
});

test('whiteouts as overlayfs has them', async () => {
  using at = place();
  await apply(
    at.root,
    layer(
      rawFile('a/.wh.gone', ''),
      rawFile('a/.wh..wh..opq', ''),
      rawFile('.wh..wh.plnk/1', ''),
      rawFile('.wh.dir', ''),
      rawFile('dir/new', 'x'),
      rawFile('kept', 'x'),
      rawFile('.wh.kept', 'ignored'),
    ),
  );
  expect(listing(at.root)).toEqual(['a d 755', 'a/gone c 0', 'dir d 755', 'dir/new f 644', 'kept f 644']);
  expect(['a', 'dir'].map((name) => xattrs(at.root, name))).toEqual([['trusted.overlay.opaque=79'], ['trusted.overlay.opaque=79']]);
});

test('whiteouts on a plain tree', async () => {
  using at = place();
  await apply(at.root, layer(rawFile('a/old', ''), rawFile('b/old', ''), rawFile('c', '')), { whiteouts: 'plain' });
  await apply(at.root, layer(rawFile('.wh.c', ''), rawFile('a/.wh.old', ''), rawFile('b/new', ''), rawFile('b/.wh..wh..opq', '')), { whiteouts: 'plain' });
  expect(listing(at.root)).toEqual(['a d 755', 'b d 755', 'b/new f 644']);
});

test('links, devices, modes; capabilities outlive the content, marks of overlayfs are dropped', async () => {
  using at = place();
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  await apply(
    at.root,
    layer(
      rawPax('x', [
        Buffer.concat([Buffer.from('SCHILY.xattr.security.capability='), capability]),
        'SCHILY.xattr.trusted.overlay.redirect=/etc',
        'SCHILY.xattr.trusted.b=c',
        'SCHILY.xattr.user.a=b',
      ]),
      rawFile('ping', 'x', { mode: 0o4755 }),
      rawEntry({ name: 'hard', type: '1', link: './ping' }),
      rawEntry({ name: 'soft', type: '2', link: '/etc/passwd' }),
      rawEntry({
        name: 'null',
        type: '3',
        mode: 0o666,
        raw: [
          [329, Buffer.from('0000001\0')],
          [337, Buffer.from('0000003\0')],
        ],
      }),
      rawEntry({ name: 'fifo', type: '6', mode: 0o600 }),
    ),
  );
  expect(listing(at.root)).toEqual(['fifo p 600', 'hard f 4755', 'null c 666', 'ping f 4755', 'soft l 777 /etc/passwd']);
  expect(xattrs(at.root, 'hard')).toEqual([`security.capability=${capability.toString('hex')}`, 'trusted.b=63', 'user.a=62']);
});

test.each<[string, Buffer, string]>([
  ['../x', layer(rawFile('../x', '')), 'InvalidArgument: layer L: name "../x" leaves the root'],
  ['a/../../x', layer(rawFile('a/../../x', '')), 'InvalidArgument: layer L: name "a/../../x" leaves the root'],
  ['a hard link out', layer(rawEntry({ name: 'h', type: '1', link: '../../canary' })), 'InvalidArgument: layer L: name "../../canary" leaves the root'],
  ['a root that is a file', layer(rawFile('./.', 'x')), 'InvalidArgument: layer L: the root directory is in the layer as a file'],
  ['a root that is a link', layer(rawEntry({ name: '/.', type: '2', link: '/' })), 'InvalidArgument: layer L: the root directory is in the layer as a symlink'],
  ['a whiteout of ..', layer(rawFile('.wh...', '')), 'InvalidArgument: layer L: whiteout ".wh..." hides no name'],
  ['a link without a target', layer(rawEntry({ name: 'l', type: '2' })), 'InvalidArgument: layer L: link "l" has no target'],
  [
    'a long name',
    layer(rawPax('x', [`path=${'n'.repeat(5000)}`]), rawEntry({ name: 'n' })),
    `ResourceExhausted: layer L: name "${'n'.repeat(80)}"… is longer than 4095 bytes`,
  ],
  [
    'a deep name',
    layer(rawPax('x', [`path=${'a/'.repeat(1500)}b`]), rawEntry({ name: 'n' })),
    `ResourceExhausted: layer L: name "${'a/'.repeat(40)}"… is more than 1024 directories deep`,
  ],
])('%s is refused, and nothing is outside', async (_name, archive, message) => {
  using at = place();
  const before = at.outside();
  expect(await rejection(apply(at.root, archive))).toBe(message);
  expect(at.outside()).toBe(before);
});

test.each<[string, Buffer, string[]]>([
  ['an absolute name', layer(rawFile('/etc/x', 'x')), ['etc d 755', 'etc/x f 644']],
  [
    'a file through an absolute link',
    layer(rawEntry({ name: 'tmp', type: '5', mode: 0o755 }), rawEntry({ name: 'out', type: '2', link: '/tmp' }), rawFile('out/x', 'x')),
    ['out l 777 /tmp', 'tmp d 755', 'tmp/x f 644'],
  ],
  [
    'a file through a link of dots',
    layer(rawEntry({ name: 'tmp', type: '5', mode: 0o755 }), rawEntry({ name: 'out', type: '2', link: '../../../../tmp' }), rawFile('out/x', 'x')),
    ['out l 777 ../../../../tmp', 'tmp d 755', 'tmp/x f 644'],
  ],
  ['a file over a link', layer(rawEntry({ name: 'f', type: '2', link: '../canary' }), rawFile('f', 'x')), ['f f 644']],
  [
    'a directory over a link',
    layer(rawEntry({ name: 'd', type: '2', link: '..' }), rawEntry({ name: 'd/', type: '5', mode: 0o700 }), rawFile('d/x', '')),
    ['d d 700', 'd/x f 644'],
  ],
])('%s stays inside', async (_name, archive, expected) => {
  using at = place();
  const before = at.outside();
  await apply(at.root, archive);
  expect(listing(at.root)).toEqual(expected);
  expect(at.outside()).toBe(before);
});

test.each<[string, Uint8Array, Partial<ApplyOptions>, string]>([
  ['cut short', gzipSync(small).subarray(0, 60), { compression: 'gzip' }, 'DataLoss: layer L: gzip data is damaged: unexpected end of file'],
  ['no gzip', small, { compression: 'gzip' }, 'DataLoss: layer L: gzip data is damaged: incorrect header check'],
  [
    'another diff id',
    small,
    { expectedDiffId: digestOf('') },
    `DataLoss: layer L: content has diff id ${digestOf(small)}, the image's configuration says ${digestOf('')}`,
  ],
  [
    'a bomb',
    gzipSync(Buffer.alloc(50 << 20)),
    { compression: 'gzip', limits: { bytes: 1 << 20 } },
    'ResourceExhausted: layer L: decompressed it exceeds a limit: more than 1048576 bytes (--max-layer-size)',
  ],
  [
    'many entries',
    layer(...Array.from({ length: 11 }, (_, n) => rawFile(String(n), ''))),
    { limits: { entries: 10 } },
    'ResourceExhausted: layer L: more than 10 entries',
  ],
])('a layer that is %s', async (_name, bytes, options, message) => {
  using at = place();
  expect(await rejection(apply(at.root, bytes, options))).toBe(message);
});

test('an abort stops it', async () => {
  using at = place();
  expect(await rejection(apply(at.root, small, { signal: AbortSignal.abort(new Error('enough')) }))).toBe('undefined: enough');
});
