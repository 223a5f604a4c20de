// Layers that want out of their root, or to be too much. Every one is applied as overlayfs has whiteouts and on a plain tree; what is beside the root stays as it was.
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openTestTree, rejection } from '../fixtures.ts';
import { applyLayer } from './apply.ts';
import { type ApplyOptions, defaultLayerLimits, type FileSink } from './diff.ts';
import { listTree } from './fixtures-trees.ts';
import { rawEntry, rawFile, rawPax } from './tar/fixtures-tar.ts';

const base = mkdtempSync(path.join(tmpdir(), 'strake-hostile-'));
const root = path.join(base, 'a/root');
const outside = path.join(base, 'a/etc');
let untouched: string[];
let account: unknown;

/** What links aim at: the machine's own, and a directory beside the root with the same names. */
function hostAccount(): unknown {
  const { ino, nlink, size, mode, mtimeMs } = statSync('/etc/passwd');
  return { ino, nlink, size, mode, mtimeMs };
}

function others(): string[] {
  return listTree(base).filter((line) => !/^a\/root\b|\.\/a\/root|^a\||^# file: a\/root/.test(line));
}

beforeAll(() => {
  mkdirSync(outside, { recursive: true });
  execFileSync('sh', ['-euc', 'echo outside >passwd; chmod 400 passwd; echo outside >unbroken; mkdir sub; echo x >sub/x'], { cwd: outside });
  untouched = others();
  account = hostAccount();
});
afterAll(() => rmSync(base, { recursive: true }));

const end = Buffer.alloc(1024);
const archive = (...parts: Buffer[]) => Buffer.concat([...parts, end]);
const dir = (name: string, mode = 0o755) => rawEntry({ name, type: '5', mode });
const symlink = (target: string, name: string) => rawEntry({ name, type: '2', link: target });
const link = (target: string, name: string) => rawEntry({ name, type: '1', link: target });
const file = (name: string, content = '') => rawFile(name, content);

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Applies to a new root, which `script` fills first; what came of it, and then what `probe` says in it. */
async function play(
  layer: Buffer,
  whiteouts: ApplyOptions['whiteouts'],
  script: string,
  probe: string,
): Promise<{ readonly error: string; readonly text: string }> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  execFileSync('sh', ['-euc', script], { cwd: root });
  await using tree = await openTestTree(root);
  const error = await rejection(applyLayer(pieces(layer), tree, { name: 'L', compression: 'none', whiteouts }));
  const text = error === 'fulfilled' ? execFileSync('sh', ['-c', `exec 2>&1; ${probe}`], { cwd: root, encoding: 'utf8' }) : '';
  expect(others()).toEqual(untouched);
  expect(hostAccount()).toEqual(account);
  return { error, text };
}

const passwd = [dir('etc', 0o770), file('/etc/passwd', 'inside')];
const oldEtc = 'mkdir etc; printf inside >etc/passwd';
const sameFile = (a: string, b: string) => `test ${a} -ef ${b} && echo same`;

interface Case {
  readonly layer: Buffer;
  /** The tree below, for a plain one: an overlay's layer is applied beside what is below it. */
  readonly below?: string;
  readonly probe?: string;
  readonly says?: string;
  readonly refused?: string;
}

const leaves = (name: string) => `InvalidArgument: layer L: name "${name}" leaves the root`;
const hidesNothing = (name: string) => `InvalidArgument: layer L: whiteout "${name}" hides no name`;

/** The cases of containerd's own suite for this, by what they do. */
const breakouts: Readonly<Record<string, Case>> = {
  'a file through an absolute link': { layer: archive(dir('etc'), symlink('/etc', 'l'), file('/l/new', 'x')), probe: 'cat etc/new', says: 'x' },
  'a file through a link up and out': { layer: archive(dir('etc'), dir('d'), symlink('/d/../etc', 'l'), file('/l/new', 'x')), probe: 'cat etc/new', says: 'x' },
  'links through links, absolute': {
    layer: archive(dir('etc'), dir('d'), symlink('/etc', '/d/etc'), symlink('/d/etc', 'l'), file('/d/etc/new', 'x')),
    probe: 'cat etc/new',
    says: 'x',
  },
  'links through links, relative': {
    layer: archive(dir('etc'), dir('d'), symlink('/etc', '/d/etc'), symlink('./d/etc', 'l'), file('/l/new', 'x')),
    probe: 'cat etc/new',
    says: 'x',
  },
  'an empty file through a link': {
    layer: archive(dir('etc'), file('etc/full', 'full'), symlink('/etc', 'l'), file('/l/full')),
    probe: 'wc -c <etc/full',
    says: '0',
  },
  'a hard link through a relative link': {
    layer: archive(...passwd, dir('b'), symlink('../../etc', 'b/d'), link('/b/d/passwd', 'b/p')),
    probe: sameFile('b/p', 'etc/passwd'),
    says: 'same',
  },
  'a hard link down and out': {
    layer: archive(...passwd, dir('b'), dir('down'), symlink('../down/../../etc', 'b/d'), link('/b/d/passwd', 'b/p')),
    probe: sameFile('b/p', 'etc/passwd'),
    says: 'same',
  },
  'a hard link through an absolute link': {
    layer: archive(...passwd, symlink('/etc', 'l'), link('/l/passwd', 'p')),
    probe: sameFile('p', 'etc/passwd'),
    says: 'same',
  },
  'a hard link through a long relative link': {
    layer: archive(...passwd, symlink(`${'../'.repeat(12)}etc`, 'l'), link('/l/passwd', 'p')),
    probe: sameFile('p', 'etc/passwd'),
    says: 'same',
  },
  'a hard link through a name that is not there': {
    layer: archive(...passwd, symlink('no/../../../etc', 'l'), link('/l/passwd', 'p')),
    refused: 'InvalidArgument: layer L: file_link: p: no such file or directory',
  },
  'a hard link to dots': { layer: archive(...passwd, link('../../../../../etc/passwd', 'p')), refused: leaves('../../../../../etc/passwd') },
  'a hard link to an absolute name': { layer: archive(...passwd, link('/etc/passwd', 'p')), probe: sameFile('p', 'etc/passwd'), says: 'same' },
  'a link called dots': { layer: archive(...passwd, symlink('/etc/', '..'), link('/etc/passwd', 'p')), refused: leaves('..') },
  'a link without a name': {
    layer: archive(...passwd, symlink('/etc/', ''), link('/etc/passwd', 'p')),
    refused: 'InvalidArgument: layer L: the root directory is in the layer as a symlink',
  },
  'a link whose name ends in dots': {
    layer: archive(...passwd, symlink('/etc/', 'l/sub/..'), link('/etc/passwd', '/l/p')),
    probe: sameFile('etc/p', 'etc/passwd'),
    says: 'same',
  },
  'a directory with a slash': { layer: archive(...passwd, dir('l/'), link('/etc/passwd', '/l/p')), probe: sameFile('l/p', 'etc/passwd'), says: 'same' },
  'a link in place of a directory': {
    layer: archive(...passwd, symlink('/etc', 'l'), link('/etc/passwd', '/l/p')),
    below: 'mkdir l',
    probe: sameFile('etc/p', 'etc/passwd'),
    says: 'same',
  },
  'a relative link in place of a directory': {
    layer: archive(...passwd, symlink('../../etc', 'l'), link('/etc/passwd', '/l/p')),
    below: 'mkdir l',
    probe: sameFile('etc/p', 'etc/passwd'),
    says: 'same',
  },
  'a directory in place of a link': {
    layer: archive(...passwd, dir('/l/'), link('/etc/passwd', '/l/p')),
    below: 'ln -s /etc l',
    probe: `${sameFile('l/p', 'etc/passwd')}; test -L l || echo directory`,
    says: 'same\ndirectory',
  },
  'a directory in place of a link that a file went through': {
    layer: archive(...passwd, symlink('etc', 'l'), link('/etc/passwd', '/l/p'), dir('/l/'), file('/l/p', 'other')),
    probe: 'cat etc/passwd l/p',
    says: 'insideother',
  },
  'a whiteout of what is above the root': { layer: archive(file('.wh...')), below: oldEtc, refused: hidesNothing('.wh...') },
  'a whiteout of what is above a directory': { layer: archive(file('etc/.wh...')), below: oldEtc, refused: hidesNothing('etc/.wh...') },
  'a whiteout of the root': { layer: archive(file('.wh..')), below: oldEtc, refused: hidesNothing('.wh..') },
  'a whiteout of the directory that it is in': { layer: archive(file('etc/.wh..')), below: oldEtc, refused: hidesNothing('etc/.wh..') },
  'a whiteout without a name': { layer: archive(file('etc/.wh.')), below: oldEtc, refused: hidesNothing('etc/.wh.') },
  'a whiteout of a link': {
    layer: archive(file('.wh.l'), file('kept')),
    below: `${oldEtc}; ln -s /etc l`,
    probe: 'test -L l || echo gone; cat etc/passwd 2>/dev/null; test -e kept && echo kept',
    says: 'gone\ninsidekept',
  },
  'a whiteout of a file as a directory': { layer: archive(file('.wh.etc/x', 'x')), below: oldEtc, probe: 'cat .wh.etc/x', says: 'x' },
  'a whiteout behind dots': { layer: archive(file('no/../.wh.etc')), below: oldEtc, probe: 'test -d etc || echo gone', says: 'gone' },
  'a hard link to a link whose target comes later': {
    layer: archive(dir('etc', 0o770), symlink('/etc/passwd', 'p'), link('p', 'q'), file('/etc/passwd', 'after')),
    probe: 'readlink p q',
    says: '/etc/passwd\n/etc/passwd',
  },
  'a hard link to a relative link': {
    layer: archive(...passwd, symlink(`${'../'.repeat(6)}etc/passwd`, 'l'), link('/l', 'p')),
    probe: 'readlink p',
    says: `${'../'.repeat(6)}etc/passwd`,
  },
  'a hard link to an absolute link': { layer: archive(...passwd, symlink('/etc/passwd', 'l'), link('/l', 'p')), probe: 'readlink p', says: '/etc/passwd' },
  'links in a loop': {
    layer: archive(symlink('b', 'a'), symlink('a', 'b'), file('a/f', 'x')),
    refused: 'InvalidArgument: layer L: file_create: a/f: too many levels of symbolic links',
  },
  'a directory that becomes a link between two entries': {
    layer: archive(dir('etc'), dir('d'), file('d/1', '1'), symlink('/etc', 'd'), file('d/2', '2')),
    probe: 'cat etc/2; ls etc',
    says: '22',
  },
};

/** These work on what is below, and so on a plain tree alone. */
const onPlain: Readonly<Record<string, Case>> = {
  'a whiteout through a link': {
    layer: archive(file('l/.wh.x')),
    below: `${oldEtc}; echo x >etc/x; ln -s /etc l`,
    probe: 'ls etc; test -L l && echo link',
    says: 'passwd\nlink',
  },
  'a whiteout through a link to nothing': { layer: archive(file('l/.wh.etc')), below: `${oldEtc}; ln -s /no l`, probe: 'cat etc/passwd', says: 'inside' },
  'an opaque mark through a link': { layer: archive(file('l/.wh..wh..opq')), below: `${oldEtc}; ln -s /etc l`, probe: 'ls etc; echo .', says: '.' },
  'a link that aims at the files beside the root': {
    layer: archive(symlink(`${outside}/passwd`, 'sketchy'), link('sketchy', 'p'), file('.wh.other')),
    below: `ln -s ${outside} other`,
    probe: 'readlink p',
    says: `${outside}/passwd`,
  },
  'files of the machine, by their own names': {
    layer: archive(symlink('/etc', 'l'), file('l/passwd', 'mine'), file('l/.wh.unbroken'), dir('l/sub', 0o700)),
    below: '',
    probe: 'cat etc/passwd',
    says: 'mine',
  },
};

describe.each(['overlay', 'plain'] as const)('a %s layer', (whiteouts) => {
  const cases = whiteouts === 'plain' ? { ...breakouts, ...onPlain } : breakouts;
  test.each(Object.keys(cases))('%s', async (name) => {
    const { layer, below = '', probe = '', says, refused } = cases[name] as Case;
    const { error, text } = await play(layer, whiteouts, whiteouts === 'plain' ? below : '', probe);
    expect(error).toBe(refused ?? 'fulfilled');
    const visible = whiteouts === 'plain' || !below.includes('inside') || says === undefined || says === 'gone' || says === 'x';
    if (refused === undefined && visible) expect(text.trim()).toBe(says ?? '');
  });

  test('whiteouts at the root, opaque before and after its siblings', async () => {
    const before = 'mkdir a b c; touch a/old b/old c/old old';
    const opaque = 'b/.wh..wh..opq';
    for (const layer of [
      archive(file('.wh.a'), file(opaque), file('b/new'), file('.wh.old')),
      archive(file('b/new'), file(opaque), file('.wh.old'), file('.wh.a')),
    ]) {
      const { error, text } = await play(layer, whiteouts, whiteouts === 'plain' ? before : '', 'find . -mindepth 1 ! -type c | sort | xargs');
      expect(error).toBe('fulfilled');
      expect(text.trim()).toBe(whiteouts === 'plain' ? './b ./b/new ./c ./c/old' : './b ./b/new');
    }
    const { text } = await play(archive(file('.wh..wh..opq'), file('new')), whiteouts, whiteouts === 'plain' ? before : '', 'ls');
    expect(text.trim()).toBe('new');
  });

  test('a directory that the layer hides and makes anew, in any order', async () => {
    for (const parts of [
      [file('.wh.d'), file('d/new')],
      [file('d/new'), file('.wh.d')],
      [file('.wh.d'), dir('d'), file('d/new'), file('.wh.d')],
    ]) {
      const { error, text } = await play(archive(...parts), whiteouts, '', 'find . -mindepth 1 | sort | xargs');
      expect([error, text.trim()]).toEqual(['fulfilled', './d ./d/new']);
    }
  });
});

/** Takes everything and keeps nothing. */
const nowhere: FileSink = { write: async () => undefined, sync: async () => undefined, [Symbol.asyncDispose]: async () => undefined };

async function refusal(layer: AsyncIterable<Uint8Array>, options: Partial<ApplyOptions> = {}): Promise<string> {
  return await rejection(applyLayer(layer, nowhere, { name: 'L', compression: 'none', whiteouts: 'plain', ...options }));
}

/** What the process takes more than before, at most, in bytes; asked after every piece. */
async function memoryOf(act: () => Promise<void>): Promise<number> {
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 5);
  await act();
  clearInterval(timer);
  return most - before;
}

/** The process of the tests collects its garbage later than a daemon does, which test/e2e/hostile.test.ts holds to half of this. */
const memoryLimit = 512 << 20;
const deep = 'a/'.repeat(1_000_000);
const gnuLong = (name: string) => Buffer.concat([rawFile('././@LongLink', `${name}\0`, { type: 'L' }), rawEntry({ name: 'short' })]);

test.each<[string, () => AsyncIterable<Uint8Array>, Partial<ApplyOptions>, string]>([
  [
    'a path of a million directories, in a PAX header',
    () => pieces(archive(rawPax('x', [`path=${deep}b`]), rawEntry({ name: 'b' }))),
    {},
    'ResourceExhausted: layer L: extended headers of ',
  ],
  ['a path of a million directories, in a GNU long name', () => pieces(archive(gnuLong(`${deep}b`))), {}, 'ResourceExhausted: layer L: extended headers of '],
  [
    'a PAX header of 1 GiB',
    () => repeated(rawEntry({ name: 'p', type: 'x', size: 2 ** 30 }), Buffer.alloc(1 << 20, 'x'), 1024),
    {},
    'ResourceExhausted: layer L: extended headers of 1073742336 bytes, at most 1048576 are allowed',
  ],
  ['PAX headers without end', () => repeated(Buffer.alloc(0), rawPax('g', ['comment=x']), 1 << 20), {}, 'ResourceExhausted: layer L: extended headers of '],
  ['10 GiB in 10 KiB of zstd', () => repeated(Buffer.alloc(0), zstdZeros(), 320), { compression: 'zstd' }, 'ResourceExhausted'],
  ['10 GiB in gzip members', () => repeated(Buffer.alloc(0), gzipSync(Buffer.alloc(32 << 20)), 320), { compression: 'gzip' }, 'ResourceExhausted'],
  [
    'a sparse file of 8 EiB',
    () => pieces(archive(rawPax('x', ['GNU.sparse.map=0,1', 'GNU.sparse.size=9007199254740991']), rawFile('f', 'x'))),
    {},
    'ResourceExhausted: layer L: unpacked it exceeds a limit: more than 68719476736 bytes (--max-layer-size)',
  ],
  [
    'a size that is one too much',
    () => pieces(Buffer.concat([rawEntry({ name: 'f', size: 513 }), Buffer.alloc(512, 'x'), rawFile('g', 'y'), end])),
    {},
    'InvalidArgument: layer L: ',
  ],
  [
    'a size that is one too little',
    () => pieces(Buffer.concat([rawEntry({ name: 'f', size: 512 }), Buffer.alloc(1024, 'x'), rawFile('g', 'y'), end])),
    {},
    'InvalidArgument: layer L: ',
  ],
  [
    'bytes behind the end that change the digest',
    () => pieces(Buffer.concat([archive(file('f')), Buffer.from('more')])),
    { expectedDiffId: `sha256:${'0'.repeat(64)}` },
    'DataLoss: layer L: content has diff id',
  ],
])(
  '%s',
  async (_name, layer, options, message) => {
    let text = '';
    const memory = await memoryOf(async () => {
      text = await refusal(layer(), options);
    });
    expect(text).toStartWith(message);
    expect(memory).toBeLessThan(memoryLimit);
  },
  60_000,
);

/** 32 MiB of zeros in some 30 bytes of content: one frame of run-length blocks. */
function zstdZeros(): Buffer {
  return zstdCompressSync(Buffer.alloc(32 << 20));
}

async function* repeated(first: Uint8Array, part: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  yield first;
  for (let count = 0; count < times; count++) yield part;
}

test('ten million entries', async () => {
  const block = Buffer.concat(Array.from({ length: 1000 }, (_, index) => rawEntry({ name: `directory/with/some/depth/file-${index}` })));
  const names = async function* () {
    for (let thousand = 0; thousand < 10_000; thousand++) {
      // Names that are all different, at the cost of one digit more in the checksum's place.
      yield Buffer.concat(Array.from({ length: 100 }, (_, index) => rawEntry({ name: `directory/with/some/depth/file-${thousand * 100 + index}` })));
      if (thousand >= 200) yield block;
    }
  };
  let text = '';
  const memory = await memoryOf(async () => {
    text = await refusal(names(), { limits: { entries: 100_000 } });
  });
  expect(text).toBe('ResourceExhausted: layer L: more than 100000 entries');
  expect(memory).toBeLessThan(memoryLimit);
  expect(defaultLayerLimits.entries).toBe(1_000_000);
}, 60_000);

test('whatever is cut off an archive is missed, or was nothing', async () => {
  const whole = archive(rawPax('x', ['SCHILY.xattr.user.a=b']), rawFile('a', 'x'.repeat(700)), dir('d'), gnuLong(`d/${'n'.repeat(150)}`), file('z', 'y'));
  for (let length = 0; length < whole.length; length += 37) {
    const text = await refusal(pieces(whole.subarray(0, length)));
    const isWhole = length % 512 === 0 || length >= whole.length - 512;
    expect([length, text]).toEqual([
      length,
      isWhole && text === 'fulfilled' ? text : (expect.stringMatching(/^DataLoss: layer L: archive is truncated/) as string),
    ]);
  }
});
