import { afterAll, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FileOp, FileSession } from '../../src/kernel/launch/index.ts';
import type { Op } from '../../src/kernel/program/index.ts';
import { World } from './monitored.ts';

const world = new World();
afterAll(async () => await world[Symbol.asyncDispose]());
const owner = { uid: 0, gid: 0, mtime: -1n } as const;
const second = 1_000_000_000n;
const oPathDirectory = 0o10_200_000;
let count = 0;

type WithoutSide = { [K in FileOp['op']]: Omit<Extract<FileOp, { op: K }>, 'side'> }[FileOp['op']];
const file = (op: WithoutSide): FileOp => ({ ...op, side: 'file' }) as FileOp;
const dir = (name: string, mode = 0o40755, more: Partial<{ uid: number; gid: number; mtime: bigint }> = {}) =>
  file({ op: 'file_dir', path: name, mode, ...owner, ...more });
const content = (name: string, text: string, mode = 0o100644, more: Partial<{ uid: number; gid: number; mtime: bigint; flags: number }> = {}): FileOp[] => [
  file({ op: 'file_create', path: name, mode, size: Buffer.byteLength(text), ...owner, ...more }),
  ...(text ? [file({ op: 'file_data', data: Buffer.from(text) })] : []),
];
const symlink = (name: string, target: string) => file({ op: 'file_symlink', path: name, target, ...owner });

/** A session in a new directory, whose host path is given too. */
async function open(): Promise<{ readonly session: FileSession; readonly root: string; in(name: string): string }> {
  count += 1;
  const root = world.path(`tree${count}/root`);
  mkdirSync(root, { recursive: true });
  writeFileSync(path.join(root, '../outside'), 'outside\n');
  const enter: Op[] = [
    { op: 'open', side: 'host', out: 0, path: root, flags: oPathDirectory, mode: 0 },
    { op: 'chroot', side: 'host', root: 0 },
    { op: 'files', side: 'host' },
  ];
  return { session: await world.launcher.fileSession(enter), root, in: (name) => path.join(root, name) };
}

/** Applies `operations`; the host's view of the tree. */
async function apply(operations: readonly FileOp[], prepare: (root: string) => void = () => undefined) {
  const opened = await open();
  prepare(opened.root);
  await opened.session.write(operations);
  await opened.session.sync(true);
  opened.session.close();
  return opened;
}

async function failure(operations: readonly FileOp[], prepare?: (root: string) => void): Promise<string> {
  return await apply(operations, prepare).then(
    () => 'it worked',
    (error: Error) => error.message,
  );
}

test('every kind of entry, with mode, owner and time', async () => {
  const tree = await apply([
    dir('', 0o40750, { mtime: 5n * second }),
    dir('d/', 0o41777, { uid: 1, gid: 2, mtime: 7n * second + 123n }),
    ...content('d/f', 'hello', 0o104755, { uid: 1000, gid: 1001, mtime: 1_600_000_000n * second + 999n }),
    ...content('d/empty', ''),
    ...content('d/old', 'x', 0o100600, { mtime: -2n * second + 1n }),
    file({ op: 'file_symlink', path: 'd/l', target: '/nowhere', uid: 3, gid: 4, mtime: 9n * second }),
    file({ op: 'file_link', path: 'd/h', target: 'd/f' }),
    file({ op: 'file_node', path: 'd/p', mode: 0o10622, major: 0, minor: 0, ...owner }),
    file({ op: 'file_node', path: 'd/c', mode: 0o20640, major: 1, minor: 3, uid: 5, gid: 6, mtime: second }),
    file({ op: 'file_node', path: 'd/b', mode: 0o60640, major: 7, minor: 300, ...owner }),
    file({ op: 'file_xattr', path: 'd/f', name: 'user.k', value: Buffer.from('v') }),
    file({ op: 'file_xattr', path: 'd', name: 'trusted.overlay.opaque', value: Buffer.from('y') }),
  ]);
  const stat = (name: string) => lstatSync(tree.in(name), { bigint: true });
  const facts = (name: string) => [stat(name).mode.toString(8), Number(stat(name).uid), Number(stat(name).gid), stat(name).mtimeNs];
  expect(stat('').mode.toString(8)).toBe('40750');
  expect(stat('').mtimeNs).toBe(5n * second);
  expect(facts('d')).toEqual(['41777', 1, 2, 7n * second + 123n]);
  expect(facts('d/f')).toEqual(['104755', 1000, 1001, 1_600_000_000n * second + 999n]);
  expect(facts('d/l')).toEqual(['120777', 3, 4, 9n * second]);
  expect(stat('d/old').mtimeNs).toBe(-2n * second + 1n);
  expect(readlinkSync(tree.in('d/l'))).toBe('/nowhere');
  expect(stat('d/h').ino).toBe(stat('d/f').ino);
  expect(facts('d/c')).toEqual(['20640', 5, 6, second]);
  expect([stat('d/p').mode.toString(8), stat('d/b').mode.toString(8)]).toEqual(['10622', '60640']);
  expect(Number(stat('d/b').rdev)).toBe(7 * 256 + ((300 & 0xff) | ((300 & ~0xff) << 12)));
  expect(readFileSync(tree.in('d/f'), 'utf8')).toBe('hello');
  expect(statSync(tree.in('d/empty')).size).toBe(0);
  expect(spawnSync('getfattr', ['-m', '.', '-d', '--absolute-names', tree.in('d/f')], { encoding: 'utf8' }).stdout).toContain('user.k="v"');
});

test.each<[string, FileOp[], (root: string) => void, string[]]>([
  ['missing parents are made', content('a/b/c/f', 'x'), () => undefined, ['a', 'a/b', 'a/b/c', 'a/b/c/f']],
  ['a file replaces a directory and what it holds', [dir('d'), ...content('d/x/y', ''), ...content('d', 'x')], () => undefined, ['d']],
  ['a directory replaces a file', [...content('d', 'x'), dir('d'), ...content('d/f', '')], () => undefined, ['d', 'd/f']],
  ['a directory replaces a link to one', [dir('t'), symlink('d', 't'), dir('d'), ...content('d/f', '')], () => undefined, ['d', 'd/f', 't']],
  [
    'a parent that is a link stays in the tree',
    [dir('usr/bin'), symlink('bin', 'usr/bin'), ...content('bin/f', '')],
    () => undefined,
    ['bin', 'usr', 'usr/bin', 'usr/bin/f'],
  ],
  ['an absolute link as parent is the root’s', [symlink('l', '/t'), ...content('l/f', '')], (root) => mkdirSync(path.join(root, 't')), ['l', 't', 't/f']],
  ['.. stops at the root', content('../../../f', ''), () => undefined, ['f']],
  ['a link that climbs stops at the root', [symlink('l', '../../../..'), ...content('l/f', '')], () => undefined, ['f', 'l']],
  [
    'a directory after its link changed',
    [dir('a'), dir('b'), symlink('l', 'a'), ...content('l/1', ''), symlink('l', 'b'), ...content('l/2', '')],
    () => undefined,
    ['a', 'a/1', 'b', 'b/2', 'l'],
  ],
  ['a trailing slash names the same', [dir('a/'), dir('a/b/'), ...content('a/b/c', ''), ...content('a/d', '')], () => undefined, ['a', 'a/b', 'a/b/c', 'a/d']],
  [
    'remove takes all, and nothing behind links',
    [dir('t'), ...content('t/keep', ''), dir('d'), symlink('d/l', '../t'), ...content('d/x/y/z', ''), file({ op: 'file_remove', path: 'd' })],
    () => undefined,
    ['t', 't/keep'],
  ],
  ['remove of what is missing', [file({ op: 'file_remove', path: 'no/such' }), ...content('f', '')], () => undefined, ['f']],
  [
    'clear keeps what the session made',
    [...content('d/new', ''), ...content('d/old/new', ''), file({ op: 'file_clear', path: 'd' })],
    (root) => {
      mkdirSync(path.join(root, 'd/old/older'), { recursive: true });
      mkdirSync(path.join(root, 'd/gone/deep'), { recursive: true });
      writeFileSync(path.join(root, 'd/file'), '');
      writeFileSync(path.join(root, 'd/gone/deep/file'), '');
    },
    ['d', 'd/new', 'd/old', 'd/old/new'],
  ],
  ['link to itself', [...content('f', 'x'), file({ op: 'file_link', path: 'f', target: 'f' })], () => undefined, ['f']],
  ['link to a link', [symlink('l', 'nowhere'), file({ op: 'file_link', path: 'h', target: 'l' })], () => undefined, ['h', 'l']],
])('%s', async (_, operations, prepare, expected) => {
  const tree = await apply(operations, prepare);
  const found = spawnSync('find', ['.', '-mindepth', '1', '-printf', '%P\\n'], { cwd: tree.root, encoding: 'utf8' }).stdout;
  expect(found.split('\n').filter(Boolean).sort()).toEqual(expected);
  expect(readdirSync(path.join(tree.root, '..')).sort()).toEqual(['outside', 'root']);
});

test.each<[string, FileOp[], string]>([
  ['a file as parent', [...content('f', 'x'), ...content('f/g', 'x')], 'file_create: f/g: not a directory'],
  ['a link target that is missing', [file({ op: 'file_link', path: 'h', target: 'no' })], 'file_link: h: no such file or directory'],
  ['a link out of the tree', [file({ op: 'file_link', path: 'h', target: '../outside' })], 'file_link: h: no such file or directory'],
  ['a link that leads out', [symlink('l', '..'), file({ op: 'file_link', path: 'h', target: 'l/outside' })], 'file_link: h: no such file or directory'],
  ['a loop', [symlink('a', 'b'), symlink('b', 'a'), ...content('a/f', '')], 'file_create: a/f: too many levels of symbolic links'],
  ['a name that is too long', content('x'.repeat(256), ''), `file_create: ${'x'.repeat(256)}: file name too long`],
  ['.. as name', [dir('d'), ...content('d/..', '')], 'file_create: d/..: invalid argument'],
  ['a socket node', [file({ op: 'file_node', path: 's', mode: 0o140644, major: 0, minor: 0, ...owner })], 'file_node: s: invalid argument'],
  ['more data than was said', [...content('f', 'abc'), file({ op: 'file_data', data: Buffer.from('d') })], 'file_data: bad file descriptor'],
  ['less data than was said', [file({ op: 'file_create', path: 'f', mode: 0o100644, size: 4, ...owner }), dir('d')], 'file_dir: d: EPROTO'],
  ['chmod of nothing', [file({ op: 'file_chmod', path: 'no', mode: 0o644, uid: 0, gid: 0 })], 'file_chmod: no: no such file or directory'],
])('an error that names the operation and the path: %s', async (_, operations, message) => {
  expect(await failure(operations)).toBe(message);
});

test('the failure arrives also while much more is being sent', async () => {
  const { session } = await open();
  await session.write(content('f', 'x'));
  let message = '';
  try {
    await session.write(content('f/g', 'x'));
    for (let i = 0; i < 200; i++) await session.write(content(`big${i}`, 'x'.repeat(200_000)));
    await session.sync(false);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toBe('file_create: f/g: not a directory');
  session.close();
});

test('read, stat and list answer, and their failures end nothing', async () => {
  const { session, root } = await open();
  await session.write([
    ...content('etc/passwd', 'root:x:0:0::/:/bin/sh\n', 0o100640, { uid: 7, gid: 8, mtime: 11n * second }),
    symlink('l', '/etc/passwd'),
    dir('empty'),
  ]);
  await session.write([file({ op: 'file_node', path: 'pipe', mode: 0o10644, major: 0, minor: 0, ...owner }), ...content('big', 'x'.repeat(1_000_000))]);
  symlinkSync('../outside', path.join(root, 'out'));
  expect((await session.read('l', 4096)).toString()).toBe('root:x:0:0::/:/bin/sh\n');
  expect((await session.read('big', 1_000_000)).length).toBe(1_000_000);
  await expect(session.read('big', 999_999)).rejects.toMatchObject({ code: 'OutOfRange', message: 'file_read: big: file too large' });
  await expect(session.read('pipe', 10)).rejects.toMatchObject({ code: 'InvalidArgument' });
  await expect(session.read('out', 10)).rejects.toMatchObject({ code: 'NotFound' });
  await expect(session.read('no', 10)).rejects.toMatchObject({ code: 'NotFound', message: 'file_read: no: no such file or directory' });
  expect(await session.stat('l')).toMatchObject({ mode: 0o120777, linkTarget: '/etc/passwd', links: 1n });
  expect(await session.stat('l', { follow: true })).toMatchObject({ mode: 0o100640, uid: 7, gid: 8, sizeBytes: 22n, mtimeNs: 11n * second, linkTarget: '' });
  expect(await session.stat('/')).toMatchObject({ mode: 0o40755 });
  await expect(session.stat('no')).rejects.toMatchObject({ code: 'NotFound' });
  expect([...(await session.list('/'))].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: 'big', type: 8 },
    { name: 'empty', type: 4 },
    { name: 'etc', type: 4 },
    { name: 'l', type: 10 },
    { name: 'out', type: 10 },
    { name: 'pipe', type: 1 },
  ]);
  expect(await session.list('empty')).toEqual([]);
  await expect(session.list('big')).rejects.toMatchObject({ message: 'file_list: big: not a directory' });
  await session.sync(false);
  session.close();
});

/** The paths of a walk, with what flags say, and content. */
async function walked(session: FileSession, name: string, options: { content?: boolean; crossMounts?: boolean } = {}): Promise<string[]> {
  const lines: string[] = [];
  for await (const items of session.walk(name, options)) {
    for (const item of items) {
      if (item.type === 'data') lines.push(`${lines.pop()}=${item.data.length > 20 ? item.data.length : item.data}`);
      else lines.push(`${item.entry.path}${item.entry.isLink ? ' again' : ''}`);
    }
  }
  return lines;
}

test('a walk has parents first, names in byte order, content on demand; another name of a file without it', async () => {
  const { session } = await open();
  await session.write([
    ...content('a/z', 'z'),
    ...content('a-b', 'x'),
    ...content('a/\u{10000}', 'astral'),
    ...content('a/\uffee', 'basic'),
    ...content('B', ''),
    file({ op: 'file_link', path: 'zz', target: 'a/z' }),
    symlink('l', 'a'),
  ]);
  expect(await walked(session, '')).toEqual(['', 'B', 'a', 'a/z', 'a/\uffee', 'a/\u{10000}', 'a-b', 'l', 'zz again']);
  expect(await walked(session, 'a', { content: true })).toEqual(['', 'z=z', '\uffee=basic', '\u{10000}=astral']);
  expect(await walked(session, 'a-b', { content: true })).toEqual(['=x']);
  expect(await walked(session, 'l/', { content: true })).toEqual(['']);
  await expect(walked(session, 'no')).rejects.toMatchObject({ code: 'NotFound', message: 'file_walk: no: no such file or directory' });
  session.close();
});

test('names that are no text come back as they are', async () => {
  const { session, root } = await open();
  await session.write(content('d\udcff/\udcfc', 'x'));
  await session.sync(false);
  expect(readdirSync(root, 'buffer')).toEqual([Buffer.from([0x64, 0xff])]);
  expect(await walked(session, '')).toEqual(['', 'd\udcff', 'd\udcff/\udcfc']);
  session.close();
});

test('a walk stops at mounts, unless it is told to go on', async () => {
  const { session, root } = await open();
  mkdirSync(path.join(root, 'm'));
  expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', path.join(root, 'm')]).status).toBe(0);
  try {
    writeFileSync(path.join(root, 'm/inside'), 'x');
    expect(await walked(session, '')).toEqual(['', 'm']);
    expect(await walked(session, '', { crossMounts: true })).toEqual(['', 'm', 'm/inside']);
  } finally {
    session.close();
    spawnSync('umount', [path.join(root, 'm')]);
  }
});

test('what no path can say is an error that names the place, and ends nothing', async () => {
  const { session, root } = await open();
  mkdirSync(path.join(root, 'd'));
  for (let i = 0; i < 2; i++) {
    mkdirSync(path.join(root, 'new', 'x/'.repeat(1500)), { recursive: true });
    renameSync(path.join(root, 'd'), path.join(root, 'new', 'x/'.repeat(1500), 'd'));
    renameSync(path.join(root, 'new'), path.join(root, 'd'));
  }
  await expect(walked(session, '')).rejects.toMatchObject({ message: expect.stringMatching(/^file_walk: \/d\/x\/x.*: file name too long$/) });
  expect((await session.stat('d')).mode).toBe(0o40755);
  session.close();
});

test('a hole may be told, at the end too', async () => {
  const tree = await apply([
    file({ op: 'file_create', path: 'f', mode: 0o100644, size: 5 << 20, ...owner }),
    file({ op: 'file_hole', size: 1 << 20 }),
    file({ op: 'file_data', data: Buffer.from('x'.repeat(1 << 20)) }),
    file({ op: 'file_hole', size: 3 << 20 }),
  ]);
  expect(statSync(tree.in('f')).size).toBe(5 << 20);
  expect(statSync(tree.in('f')).blocks * 512).toBe(1 << 20);
  expect(await failure([file({ op: 'file_create', path: 'f', mode: 0o100644, size: 1, ...owner }), file({ op: 'file_hole', size: 2 })])).toBe(
    'file_hole: file too large',
  );
});

test('a sparse file has its holes and its size', async () => {
  const bytes = Buffer.alloc(3 << 20);
  bytes.fill('x', 1 << 20, (1 << 20) + 5000);
  const tree = await apply([
    file({ op: 'file_create', path: 'f', mode: 0o100644, size: bytes.length, flags: 1, ...owner }),
    file({ op: 'file_data', data: bytes.subarray(0, 1_500_000) }),
    file({ op: 'file_data', data: bytes.subarray(1_500_000) }),
  ]);
  expect(readFileSync(tree.in('f')).equals(bytes)).toBe(true);
  expect(statSync(tree.in('f')).blocks * 512).toBeLessThan(64 << 10);
});

test('data over one frame is sent in several', async () => {
  const bytes = Buffer.alloc(9 << 20, 'strake');
  const tree = await apply([file({ op: 'file_create', path: 'f', mode: 0o100644, size: bytes.length, ...owner }), file({ op: 'file_data', data: bytes })]);
  expect(readFileSync(tree.in('f')).equals(bytes)).toBe(true);
});

test('a tree that is 3000 directories deep goes away', async () => {
  const { session, root } = await open();
  await session.write([dir('top'), ...content('top/beside', '')]);
  await session.sync(false);
  // Deeper than any path can say, as a container makes it.
  const below = (name: string) => path.join(root, 'top', name);
  mkdirSync(below('d'));
  for (let i = 0; i < 3; i++) {
    const bottom = below(`new/${'d/'.repeat(1000)}`);
    mkdirSync(bottom, { recursive: true });
    writeFileSync(path.join(bottom, 'f'), '');
    renameSync(below('d'), path.join(bottom, 'd'));
    renameSync(below('new'), below('d'));
  }
  await session.write([file({ op: 'file_remove', path: 'top' })]);
  await session.sync(false);
  session.close();
  expect(readdirSync(root)).toEqual([]);
}, 60_000);

test('removal stops at a mount', async () => {
  const { session, root } = await open();
  mkdirSync(path.join(root, 'd/mounted'), { recursive: true });
  expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', path.join(root, 'd/mounted')]).status).toBe(0);
  try {
    writeFileSync(path.join(root, 'd/mounted/keep'), '');
    await session.write([file({ op: 'file_remove', path: 'd' })]);
    await expect(session.sync(false)).rejects.toThrow('file_remove: d: ');
    expect(existsSync(path.join(root, 'd/mounted/keep'))).toBe(true);
  } finally {
    session.close();
    spawnSync('umount', [path.join(root, 'd/mounted')]);
  }
});

test('chmod and chown do not follow', async () => {
  const tree = await apply([
    ...content('f', 'x', 0o100600),
    symlink('l', 'f'),
    file({ op: 'file_chmod', path: 'l', mode: 0o777, uid: 9, gid: 9 }),
    file({ op: 'file_chmod', path: 'f', mode: 0o4711, uid: 10, gid: 11 }),
  ]);
  expect([lstatSync(tree.in('l')).uid, statSync(tree.in('f')).uid, statSync(tree.in('f')).gid, statSync(tree.in('f')).mode & 0o7777]).toEqual([
    9, 10, 11, 0o4711,
  ]);
});
