// The reader and the writer against each other, GNU tar and bsdtar, with trees and archives that are made up.
import { expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { pathText } from '../../../base/index.ts';
import { openTestTree } from '../../fixtures.ts';
import { applyLayer } from '../apply.ts';
import { archiveTree } from '../archive-tree.ts';
import { listTree } from '../fixtures-trees.ts';
import { encodeEntry, endOfArchive, paddingOf } from './encode.ts';
import type { TarEntry } from './entry.ts';
import { TarReader } from './reader.ts';

type Made = TarEntry & { readonly content: Buffer };

const second = 1_000_000_000n;
const letters = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'abcXYZ09-_.+ é€😀') }) },
  { weight: 2, arbitrary: fc.string({ minLength: 90, maxLength: 120, unit: fc.constantFrom('a', 'b', 'é') }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => pathText(Buffer.from(bytes))) },
);
/** A name that a directory can hold, and that no layer takes for a mark. */
const name = letters.filter((text) => !/[/\0\n|\\]/.test(text) && !/^\.{1,2}$/.test(text) && !text.startsWith('.wh.') && Buffer.byteLength(text) < 200);
const id = fc.oneof(fc.nat(3), fc.constantFrom(65534, 0o7777777, 0o7777777 + 1, 0xffff_fffe));
const seconds = fc.oneof(fc.bigInt(0n, 2n ** 31n), fc.bigInt(2n ** 31n, 2n ** 33n - 1n), fc.constant(0n));
const fraction = fc.oneof(fc.constant(0n), fc.bigInt(0n, second - 1n), fc.constant(500_000_000n));
const mtimeNs = fc.tuple(seconds, fraction).map(([whole, rest]) => whole * second + rest);
const xattrs = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('user.a', 'user.b=c', 'user.ü', 'user.long'),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  ),
  {
    selector: ([key]) => key,
    maxLength: 3,
  },
);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.constantFrom(0, 1, 511, 512, 513, 70_000).map((length) => new Uint8Array(length).fill(0x78)),
  fc.constant(new Uint8Array(200_000)),
);

/** Entries of one directory `d`: what each is, and what hard links and whole names refer to. */
const entries: fc.Arbitrary<Made[]> = fc
  .uniqueArray(
    fc.record({
      kind: fc.constantFrom<TarEntry['kind']>('file', 'file', 'file', 'directory', 'symlink', 'link', 'fifo', 'character', 'block'),
      name,
      target: fc.oneof(name, fc.string({ minLength: 1, maxLength: 150, unit: fc.constantFrom('a', '/', '.') })),
      mode: fc.oneof(fc.constantFrom(0o644, 0o755, 0o4755, 0o2711, 0o1777, 0), fc.nat(0o7777)),
      uid: id,
      gid: id,
      mtimeNs,
      device: fc.tuple(fc.nat(0xfff), fc.nat(0xfffff)),
      xattrs,
      content,
    }),
    { selector: ({ name: key }) => key, minLength: 1, maxLength: 12 },
  )
  .map((made) => {
    let file: string | undefined;
    return made.flatMap(({ kind, name: base, target, device, content: bytes, ...rest }): Made[] => {
      if (kind === 'file') file = `d/${base}`;
      if (kind === 'link' && file === undefined) return [];
      const data = kind === 'file' ? Buffer.from(bytes) : Buffer.alloc(0);
      const isDevice = kind === 'character' || kind === 'block';
      return [
        {
          ...rest,
          kind,
          name: `d/${base}${kind === 'directory' ? '/' : ''}`,
          linkName: kind === 'link' ? (file ?? '') : kind === 'symlink' ? target : '',
          mode: kind === 'symlink' ? 0o777 : rest.mode,
          sizeBytes: data.length,
          devMajor: isDevice ? device[0] : 0,
          devMinor: isDevice ? device[1] : 0,
          xattrs: kind === 'file' || kind === 'directory' ? rest.xattrs : [],
          content: data,
        },
      ];
    });
  });

const directory: Made = {
  kind: 'directory',
  name: 'd/',
  linkName: '',
  mode: 0o755,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeNs: second,
  devMajor: 0,
  devMinor: 0,
  xattrs: [],
  content: Buffer.alloc(0),
};

function archiveOf(made: readonly Made[]): Buffer {
  return Buffer.concat([...made.flatMap((entry) => [encodeEntry(entry), entry.content, paddingOf(entry.sizeBytes)]), endOfArchive]);
}

function readBack(archive: Buffer, step: number): unknown[] {
  const found: { entry: TarEntry; content: Buffer[] }[] = [];
  const reader = new TarReader(
    {
      entry: (entry) => found.push({ entry, content: [] }),
      data: (bytes) => found.at(-1)?.content.push(Buffer.from(bytes)),
      hole: (bytes) => found.at(-1)?.content.push(Buffer.alloc(bytes)),
    },
    { entries: 100, headerBytes: 1 << 20 },
  );
  for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
  reader.end();
  return found.map(({ entry, content: parts }) => ({ ...entry, content: Buffer.concat(parts) }));
}

const sorted = (list: readonly (readonly [string, Buffer])[]) => [...list].sort(([a], [b]) => (a < b ? -1 : 1));

test('what is written is read again, in pieces of any size', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 3000 }), (made, step) => {
      const expected = made.map((entry) => ({ ...entry, xattrs: sorted(entry.xattrs) }));
      const found = readBack(archiveOf(made), step).map((entry) => ({ ...(entry as Made), xattrs: sorted((entry as Made).xattrs) }));
      expect(found).toEqual(expected);
    }),
    { numRuns: 150 },
  );
}, 30_000);

/** Directories that go when the test does. */
class Place implements Disposable {
  readonly root = mkdtempSync(path.join(tmpdir(), 'strake-tar-'));

  make(base: string): string {
    mkdirSync(path.join(this.root, base));
    return path.join(this.root, base);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

async function unpack(archive: Buffer, target: string): Promise<string[]> {
  await using tree = await openTestTree(target);
  await applyLayer(
    (async function* () {
      yield archive;
    })(),
    tree,
    { name: 'L', compression: 'none', whiteouts: 'plain' },
  );
  return listTree(target);
}

/** Without the warnings: of times in the future, and of names that are no text. */
const quietly = { env: { ...process.env, LC_ALL: 'C.UTF-8' }, maxBuffer: 64 << 20, stdio: 'pipe' } as const;

const readers: Readonly<Record<string, readonly string[]>> = {
  'GNU tar': ['tar', '--numeric-owner', '-p', '--xattrs', '--xattrs-include=user.*', '-xf', '-'],
  bsdtar: ['bsdtar', '--numeric-owner', '-p', '-xf', '-'],
};

test.each(Object.keys(readers))(
  '%s unpacks what is written as we do',
  async (reader) => {
    const [program = '', ...args] = readers[reader] ?? [];
    await fc.assert(
      fc.asyncProperty(entries.filter(reader === 'GNU tar' ? withoutEmpty : () => true), async (made) => {
        using place = new Place();
        const archive = archiveOf([directory, ...made]);
        const target = place.make('theirs');
        execFileSync(program, args, { ...quietly, cwd: target, input: archive });
        expect(listTree(target)).toEqual(await unpack(archive, place.make('ours')));
      }),
      { numRuns: 12 },
    );
  },
  60_000,
);

/** GNU tar knows neither libarchive's form, nor that an attribute may be empty. */
function withoutEmpty(made: readonly Made[]): boolean {
  return made.every((entry) => entry.xattrs.every(([key, value]) => value.length > 0 && !key.includes('=')));
}

/** bsdtar calls it an error when a name is no text, though it writes the archive. */
function isText(made: readonly Made[]): boolean {
  return made.every((entry) => entry.name.isWellFormed() && entry.linkName.isWellFormed());
}

const writers: Readonly<Record<string, readonly string[]>> = {
  'GNU tar, pax': ['tar', '--format=posix', '--numeric-owner', '--xattrs', '--xattrs-include=user.*', '-cf', '-', 'd'],
  'GNU tar, pax, sparse': ['tar', '--format=posix', '-S', '--numeric-owner', '--xattrs', '--xattrs-include=user.*', '-cf', '-', 'd'],
  'bsdtar, pax': ['bsdtar', '--format=pax', '--numeric-owner', '-cf', '-', 'd'],
};

test.each(Object.keys(writers))(
  'what %s writes of a tree, and what we write of it, makes that tree',
  async (writer) => {
    const [program = '', ...args] = writers[writer] ?? [];
    await fc.assert(
      fc.asyncProperty(entries.filter(writer.startsWith('GNU') ? withoutEmpty : isText), async (made) => {
        using place = new Place();
        const source = place.make('source');
        const tree = await unpack(archiveOf([directory, ...made]), source);
        const theirs = execFileSync(program, args, { ...quietly, cwd: source });
        expect(await unpack(theirs, place.make('theirs'))).toEqual(tree);
        await using session = await openTestTree(source);
        const ours: Uint8Array[] = [];
        for await (const piece of archiveTree(session)) ours.push(piece);
        expect(await unpack(Buffer.concat(ours), place.make('ours'))).toEqual(tree);
      }),
      { numRuns: 6 },
    );
  },
  60_000,
);
