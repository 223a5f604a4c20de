import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rejection } from '../../fixtures.ts';
import { rawEntry, rawPax } from './fixtures-tar.ts';
import { TarReader } from './reader.ts';
import { writeTar } from './writer.ts';

const limits = { entries: 100, headerBytes: 4096 };

/** Reads in pieces of `step` bytes; each entry as a line. */
function read(archive: Uint8Array, step = archive.length): string[] {
  const lines: string[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => {
        const xattrs = entry.xattrs.map(([name, value]) => ` ${name}=${value.toString('hex')}`).join('');
        lines.push(
          `${entry.kind} ${entry.name} ${entry.linkName} ${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${entry.sizeBytes} ${entry.mtimeNs}${xattrs} |`,
        );
      },
      data: (bytes) => lines.push(`${lines.pop()}${Buffer.from(bytes).toString()}`),
      hole: (bytes) => lines.push(`${lines.pop()}[${bytes}]`),
    },
    limits,
  );
  for (let offset = 0; offset < archive.length; offset += step) reader.push(archive.subarray(offset, offset + step));
  reader.end();
  return lines;
}

const end = Buffer.alloc(1024);

test('our own archives, in pieces of any size', () => {
  const archive = writeTar([
    { name: 'bin/', type: 'directory', mode: 0o755 },
    { name: 'bin/sh', type: 'file', mode: 0o4755, content: Buffer.from('#!') },
    { name: 'sh', type: 'symlink', mode: 0o777, linkName: 'bin/sh' },
    { name: 'empty', type: 'file', mode: 0o600 },
  ]);
  const expected = ['directory bin/  755 0:0 0 0 |', 'file bin/sh  4755 0:0 2 0 |#!', 'symlink sh bin/sh 777 0:0 0 0 |', 'file empty  600 0:0 0 0 |'];
  for (const step of [1, 7, 511, 512, 513, 4096, archive.length]) expect(read(archive, step)).toEqual(expected);
});

test.each(['gnu', 'pax', 'ustar', 'v7'])('what GNU tar writes as %s', (format) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-tar-'));
  try {
    const name = format === 'gnu' || format === 'pax' ? 'n'.repeat(180) : 'n'.repeat(90);
    writeFileSync(path.join(directory, name), 'content');
    const args = ['-C', directory, `--format=${format}`, '--owner=:1000', '--group=:2000', '--mode=0640', '--mtime=@1.5', '-cf', '-', name];
    const { stdout, status } = spawnSync('tar', args);
    expect(status).toBe(0);
    expect(read(stdout, 100)).toEqual([`file ${name}  640 1000:2000 7 ${format === 'pax' ? 1_500_000_000n : 1_000_000_000n} |content`]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('PAX records: paths, owners, sizes, times before the epoch, binary attributes; global ones hold on', () => {
  const xattr = Buffer.concat([Buffer.from('SCHILY.xattr.security.capability='), Buffer.from([1, 0, 2, 255])]);
  const archive = Buffer.concat([
    rawPax('g', ['uid=7']),
    rawPax('x', ['path=été/x', 'size=3', 'gid=4000000000', 'mtime=-1.25', xattr]),
    rawEntry({ name: 'short', size: 0 }),
    Buffer.from('abc'.padEnd(512, '\0')),
    rawPax('x', ['uid=8', 'linkpath=t']),
    rawEntry({ name: 'l', type: '2', link: 'ignored' }),
    rawEntry({ name: 'last' }),
    end,
  ]);
  expect(read(archive, 33)).toEqual([
    'file été/x  644 7:4000000000 3 -1250000000 security.capability=010002ff |abc',
    'symlink l t 644 8:0 0 0 |',
    'file last  644 7:0 0 0 |',
  ]);
});

test('numbers in base 256', () => {
  const uid = Buffer.from([0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]);
  expect(read(Buffer.concat([rawEntry({ name: 'a', raw: [[108, uid]] }), end]))).toEqual(['file a  644 2147483647:0 0 0 |']);
});

const x = 'x'.repeat(600);
test.each<[string, Uint8Array, string]>([
  ['a wrong checksum', Buffer.concat([rawEntry({ name: 'a', checksum: 1 }), end]), 'InvalidArgument: a header has a wrong checksum'],
  ['random bytes', Buffer.alloc(2048, 'random'), 'InvalidArgument: checksum in a header is not a number'],
  ['an unknown type', rawEntry({ name: 'a', type: 'Q' }), 'InvalidArgument: entry "a" has an unknown type "Q"'],
  ['a negative size', rawEntry({ name: 'a', raw: [[124, Buffer.alloc(12, 0xff)]] }), 'InvalidArgument: size in a header is out of range'],
  [
    'a size beyond 2^53',
    rawEntry({ name: 'a', raw: [[124, Buffer.from([0x80, 0, 0, 0, 0x7f, 255, 255, 255, 255, 255, 255, 255])]] }),
    'InvalidArgument: size in a header is out of range',
  ],
  ['uid -1', Buffer.concat([rawPax('x', ['uid=4294967295']), rawEntry({ name: 'a' })]), 'InvalidArgument: owner 4294967295 is out of range'],
  ['a PAX uid that is no number', Buffer.concat([rawPax('x', ['uid=1e3']), rawEntry({ name: 'a' })]), 'InvalidArgument: extended header uid is not a number'],
  ['a PAX path with NUL', Buffer.concat([rawPax('x', ['path=a\0b']), rawEntry({ name: 'a' })]), 'InvalidArgument: extended header path has a NUL byte'],
  [
    'a PAX record that is too long',
    Buffer.concat([rawEntry({ name: 'p', type: 'x', size: 10 }), Buffer.from('99 path=a\n'.padEnd(512, '\0'))]),
    'InvalidArgument: an extended header record has a wrong length',
  ],
  [
    'a PAX header beyond the limit',
    rawEntry({ name: 'p', type: 'x', size: 2 ** 30 }),
    'ResourceExhausted: extended headers of 1073742336 bytes, at most 4096 are allowed',
  ],
  [
    'many PAX headers before an entry',
    Buffer.concat(Array.from({ length: 4 }, () => rawPax('x', [`comment=${x}`]))),
    'ResourceExhausted: extended headers of 4500 bytes, at most 4096 are allowed',
  ],
  ['too many entries', Buffer.concat(Array.from({ length: 101 }, () => rawEntry({ name: 'a' }))), 'ResourceExhausted: more than 100 entries'],
  ['an end inside a file', Buffer.concat([rawEntry({ name: 'a', size: 600 }), Buffer.alloc(512)]), 'DataLoss: archive is truncated in entry "a"'],
  ['an end inside a header', rawEntry({ name: 'a' }).subarray(0, 100), 'DataLoss: archive is truncated in a header'],
  ['an extended header without an entry', rawPax('x', ['path=a']), 'DataLoss: archive is truncated in a header'],
])('%s is refused', async (_name, archive, message) => {
  expect(await rejection((async () => read(archive, 400))())).toBe(message);
});

test('nothing after the end is read, and an archive may lack its end', () => {
  expect(read(Buffer.concat([rawEntry({ name: 'a' }), end, Buffer.alloc(512, 'junk')]))).toEqual(['file a  644 0:0 0 0 |']);
  expect(read(rawEntry({ name: 'a' }))).toEqual(['file a  644 0:0 0 0 |']);
});
