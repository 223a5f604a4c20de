import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openTestTree, rejection } from '../../fixtures.ts';
import { applyLayer } from '../apply.ts';
import { rawEntry, rawFile, rawPax } from './fixtures-tar.ts';
import { TarReader } from './reader.ts';

function read(archive: Uint8Array): string {
  let text = '';
  const handler = {
    entry: ({ name, sizeBytes }: { name: string; sizeBytes: number }) => (text += `${name} ${sizeBytes} `),
    data: (bytes: Uint8Array) => (text += Buffer.from(bytes).toString()),
    hole: (bytes: number) => (text += `[${bytes}]`),
  };
  const reader = new TarReader(
    { entry: (entry) => void handler.entry(entry), data: (bytes) => void handler.data(bytes), hole: (bytes) => void handler.hole(bytes) },
    { entries: 10, headerBytes: 8192 },
  );
  for (let at = 0; at < archive.length; at += 300) reader.push(archive.subarray(at, at + 300));
  reader.end();
  return text;
}

/** Parts of 5000 bytes, `gap` apart, and a hole at the end. */
function makeSparse(file: string, parts: number, gap: number): Buffer {
  const fd = openSync(file, 'w');
  for (let index = 0; index < parts; index++) writeSync(fd, Buffer.alloc(5000, 65 + (index % 26)), 0, 5000, (index + 1) * gap);
  ftruncateSync(fd, (parts + 2) * gap);
  closeSync(fd);
  return readFileSync(file);
}

// More than four parts need a block more in the old format, more than 25 a second one.
test.each(
  ['--format=gnu', '--sparse-version=0.0', '--sparse-version=0.1', '--sparse-version=1.0'].flatMap((format) =>
    [1, 5, 60].map((parts) => [format, parts] as const),
  ),
)('what GNU tar writes with %s, %d parts', async (format, parts) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'strake-sparse-'));
  try {
    const content = makeSparse(path.join(directory, 'f'), parts, 64 << 10);
    writeFileSync(path.join(directory, 'next'), 'next');
    const flags = format.startsWith('--format') ? [format] : ['--format=posix', format];
    const archive = execFileSync('tar', ['-C', directory, ...flags, '-S', '-cf', '-', 'f', 'next'], { maxBuffer: 64 << 20 });
    expect(archive.length).toBeLessThan(content.length / 2);
    execFileSync('mkdir', [path.join(directory, 'target')]);
    await using tree = await openTestTree(path.join(directory, 'target'));
    await applyLayer(
      (async function* () {
        yield archive;
      })(),
      tree,
      { name: 'L', compression: 'none', whiteouts: 'plain' },
    );
    expect(readFileSync(path.join(directory, 'target/f')).equals(content)).toBe(true);
    expect(statSync(path.join(directory, 'target/f')).blocks * 512).toBeLessThan(content.length / 2);
    expect(readFileSync(path.join(directory, 'target/next'), 'utf8')).toBe('next');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

const map = (text: string) => Buffer.from(text.padEnd(512, '\0'));
const version1 = rawPax('x', ['GNU.sparse.major=1', 'GNU.sparse.minor=0', 'GNU.sparse.name=real', 'GNU.sparse.realsize=10']);
const version0 = (text: string) => rawPax('x', [`GNU.sparse.map=${text}`, 'GNU.sparse.size=10']);
const block = (text: string) => Buffer.from(text.padEnd(512, '\0'));

test.each<[string, Buffer, string]>([
  [
    'a map before the content',
    Buffer.concat([version1, rawEntry({ name: 'f', size: 514 }), map('1\n3\n2\n'), block('ab'), Buffer.alloc(1024)]),
    'real 10 [3]ab[5]',
  ],
  ['a map in records', Buffer.concat([version0('0,1,9,1'), rawFile('f', 'xy'), Buffer.alloc(1024)]), 'f 10 x[8]y'],
  ['nothing but a hole', Buffer.concat([version0('10,0'), rawEntry({ name: 'f' }), Buffer.alloc(1024)]), 'f 10 [10]'],
])('%s', (_name, archive, text) => {
  expect(read(archive)).toBe(text);
});

test.each<[string, Buffer, string]>([
  ['parts beyond the end', Buffer.concat([version0('9,2'), rawFile('f', 'xy')]), 'InvalidArgument: parts of a sparse file are out of order or of range'],
  ['parts that overlap', Buffer.concat([version0('0,2,1,2'), rawFile('f', 'abcd')]), 'InvalidArgument: parts of a sparse file are out of order or of range'],
  [
    'more content than the map says',
    Buffer.concat([version0('0,1'), rawFile('f', 'xy')]),
    'InvalidArgument: a sparse file has 2 bytes of content, its map says 1',
  ],
  ['half a pair', Buffer.concat([version0('0,1,2'), rawFile('f', 'x')]), 'InvalidArgument: the map of a sparse file is cut short'],
  ['no numbers', Buffer.concat([version0('0,x'), rawFile('f', 'x')]), 'InvalidArgument: the map of a sparse file is not of numbers'],
  [
    'a map with less than is there',
    Buffer.concat([version1, rawEntry({ name: 'f', size: 1 << 20 }), Buffer.alloc(1 << 16, '1\n')]),
    'InvalidArgument: a sparse file has 1048064 bytes of content, its map says 1',
  ],
  [
    'a map of many',
    Buffer.concat([version1, rawEntry({ name: 'f', size: 1 << 20 }), Buffer.alloc(1 << 16, '9999999\n')]),
    'ResourceExhausted: the map of a sparse file has more than 8192 bytes',
  ],
  ['a version that nobody has', Buffer.concat([rawPax('x', ['GNU.sparse.major=2']), rawEntry({ name: 'f' })]), 'InvalidArgument: a sparse file has no map'],
  ['a sparse directory', Buffer.concat([version0('0,1'), rawEntry({ name: 'f', type: '5', size: 1 })]), 'InvalidArgument: entry "f" is a sparse directory'],
])('%s', async (_name, archive, message) => {
  expect(await rejection((async () => read(archive))())).toBe(message);
});
