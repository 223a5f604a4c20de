import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { DirectLauncher } from '../../kernel/index.ts';
import { rawEntry, rawFile } from '../diff/tar/fixtures-tar.ts';
import { initPath, rejection } from '../fixtures.ts';
import { type ExtractOptions, extractArchive } from './extract.ts';

const end = Buffer.alloc(1024);
const archive = (...parts: Buffer[]) => Buffer.concat([...parts, end]);

/** A directory below one with a canary, in which links lead out. */
function place(): Disposable & { readonly root: string; readonly base: string; read(name: string): string } {
  const base = mkdtempSync(path.join(tmpdir(), 'strake-extract-'));
  const root = path.join(base, 'root');
  mkdirSync(root);
  writeFileSync(path.join(base, 'canary'), 'sings');
  return {
    base,
    root,
    read: (name) => readFileSync(path.join(root, name), 'utf8'),
    [Symbol.dispose]: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** As `cp` does on a machine: the session's own root is the machine's. */
async function extract(root: string, bytes: Uint8Array, options: ExtractOptions & { readonly keepKinds?: boolean } = {}): Promise<void> {
  await using session = await new DirectLauncher({ initPath }).fileSession([{ op: 'files', side: 'host' }]);
  await session.enter(root, { keepKinds: options.keepKinds ?? false });
  await extractArchive(
    (async function* () {
      for (let offset = 0; offset < bytes.length; offset += 700) yield bytes.subarray(offset, offset + 700);
    })(),
    session,
    options,
  );
}

test.each([
  ['plain', (bytes: Uint8Array) => bytes],
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const)('a %s archive: names of whiteouts are names, what is there stays', async (_, pack) => {
  using at = place();
  writeFileSync(path.join(at.root, 'old'), 'old');
  await extract(at.root, pack(archive(rawFile('a/b', 'text'), rawFile('.wh.old', ''), rawEntry({ name: './', type: '5', mode: 0o700 }))));
  expect([at.read('a/b'), at.read('old'), readdirSync(at.root).sort(), statSync(at.root).mode & 0o777]).toEqual([
    'text',
    'old',
    ['.wh.old', 'a', 'old'],
    0o755,
  ]);
});

test.each([
  [{ from: 'a', to: 'n' }, ['n', 'n/f', 'n/h', 'other']],
  [{ from: '', to: 'n' }, ['n', 'n/a', 'n/a/f', 'n/a/h', 'n/other']],
])('renamed by %j, hard links too', async (rename, names) => {
  using at = place();
  await extract(
    at.root,
    archive(
      rawEntry({ name: './', type: '5' }),
      rawEntry({ name: 'a/', type: '5' }),
      rawFile('a/f', 'x'),
      rawEntry({ name: 'a/h', type: '1', link: 'a/f' }),
      rawFile('other', ''),
    ),
    {
      rename,
      owner: { uid: 3, gid: 4 },
    },
  );
  const found = execFileSync('find', [at.root, '-mindepth', '1', '-printf', '%P %U:%G\n']).toString().trim().split('\n').sort();
  expect(found).toEqual(names.map((name) => `${name} 3:4`));
  expect(lstatSync(path.join(at.root, names.find((name) => name.endsWith('/h')) ?? '')).nlink).toBe(2);
});

test.each([
  ['a link of the archive', [rawEntry({ name: 'l', type: '2', link: '../' }), rawFile('l/canary', 'dies')], ['canary', 'l']],
  ['an absolute link of the archive', [rawEntry({ name: 'l', type: '2', link: '/tmp' }), rawFile('l/canary', 'dies')], ['l', 'tmp']],
  ['a link that is there', [rawFile('there/canary', 'dies')], ['there', 'up']],
])('%s does not lead out', async (_, entries, names) => {
  using at = place();
  if (names.includes('there')) symlinkSync('../../up', path.join(at.root, 'there'));
  await extract(at.root, archive(...entries));
  expect([readFileSync(path.join(at.base, 'canary'), 'utf8'), readdirSync(at.base).sort(), readdirSync(at.root).sort()]).toEqual([
    'sings',
    ['canary', 'root'],
    names,
  ]);
});

test('an entry replaces a link, and does not write through it', async () => {
  using at = place();
  symlinkSync('../canary', path.join(at.root, 'l'));
  await extract(at.root, archive(rawFile('l', 'file'), rawEntry({ name: 'm', type: '2', link: 'far' })));
  expect([at.read('l'), readFileSync(path.join(at.base, 'canary'), 'utf8'), readlinkSync(path.join(at.root, 'm'))]).toEqual(['file', 'sings', 'far']);
});

test('directories and other entries replace one another, unless kinds are kept', async () => {
  using at = place();
  mkdirSync(path.join(at.root, 'd/sub'), { recursive: true });
  writeFileSync(path.join(at.root, 'f'), 'x');
  const overDirectory = archive(rawFile('d', 'file'));
  const overFile = archive(rawEntry({ name: 'f/', type: '5' }), rawFile('f/x', 'y'));
  expect(await rejection(extract(at.root, overDirectory, { keepKinds: true }))).toMatch(/: file_create: d: /);
  expect(await rejection(extract(at.root, overFile, { keepKinds: true }))).toMatch(/: file_dir: f: not a directory$/i);
  expect(readdirSync(at.root).sort()).toEqual(['d', 'f']);
  await extract(at.root, overDirectory);
  await extract(at.root, overFile);
  expect([at.read('d'), at.read('f/x')]).toEqual(['file', 'y']);
});

test.each([
  ['../x', 'InvalidArgument: name "../x" leaves the root'],
  ['a/../../x', 'InvalidArgument: name "a/../../x" leaves the root'],
])('the name %s is refused', async (name, message) => {
  using at = place();
  expect(await rejection(extract(at.root, archive(rawFile(name, 'x'))))).toBe(message);
});

test.each([
  [Buffer.from('BZh91AY&SY'), 'Unimplemented: bzip2 is not supported'],
  [Buffer.from('no archive at all, and too short for one'), 'DataLoss: archive is truncated in a header'],
  [archive(rawFile('f', 'x'.repeat(2000))).subarray(0, 1000), 'DataLoss: archive is truncated in entry "f"'],
])('what is no whole archive: %#', async (bytes, message) => {
  using at = place();
  expect(await rejection(extract(at.root, bytes))).toBe(message);
});

test('a session goes on in its root when there is no directory to enter', async () => {
  using at = place();
  await using session = await new DirectLauncher({ initPath }).fileSession([{ op: 'files', side: 'host' }]);
  await expect(session.enter(path.join(at.base, 'canary'))).rejects.toMatchObject({ fields: { errno: 'ENOTDIR' } });
  await expect(session.enter(path.join(at.base, 'absent'))).rejects.toMatchObject({ code: 'NotFound' });
  await session.enter(at.root);
  expect((await session.list('/')).length).toBe(0);
});

test('a sparse file, as GNU tar writes it, has its holes again', async () => {
  using at = place();
  const made = path.join(at.base, 'made');
  mkdirSync(made);
  execFileSync('sh', ['-euc', 'truncate -s 10M sparse; printf middle | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none'], { cwd: made });
  await extract(at.root, execFileSync('tar', ['-C', made, '--sparse', '-cf', '-', 'sparse'], { maxBuffer: 1 << 20 }));
  const { size, blocks } = statSync(path.join(at.root, 'sparse'));
  expect([size, blocks * 512 < 1 << 20, at.read('sparse').indexOf('middle')]).toEqual([10 << 20, true, 5_000_000]);
});
