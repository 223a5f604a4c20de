import { expect, test } from 'bun:test';
import { StrakeError } from '../../../base/index.ts';
import type { RootTree } from '../../../core/tasks/index.ts';
import { asksForDirectory, baseName, goModeOf, statPath } from './path-stat.ts';
import { resolveLinks } from './resolve-links.ts';

const links: Readonly<Record<string, string>> = {
  '/l': 'd/e',
  '/abs': '/d/../l',
  '/d/up': '../../..',
  '/loop': 'loop',
  '/far': 'missing/x',
  '/d/e/deep': './f',
};

/** A tree of links; everything else is a directory, but what is called `file`, and `gone`. */
const tree = {
  async stat(path: string, { follow } = { follow: false }) {
    if (path.includes('gone')) throw new StrakeError('NotFound', 'x', { fields: { errno: 'ENOENT' } });
    if (path.includes('file/')) throw new StrakeError('FailedPrecondition', 'x', { fields: { errno: 'ENOTDIR' } });
    const target = follow ? undefined : links[path];
    const mode = target === undefined ? (path.endsWith('file') ? 0o104755 : 0o041777) : 0o120777;
    return { mode, uid: 0, gid: 0, sizeBytes: 5n, mtimeNs: 1_700_000_000_120_000_000n, rdev: 0n, inode: 1n, links: 1n, linkTarget: target ?? '' };
  },
} as Pick<RootTree, 'stat'> as RootTree;

test.each([
  ['/l', '/d/e'],
  ['/l/x', '/d/e/x'],
  ['abs', '/d/e'],
  ['/d/up/up', '/up'],
  ['/far', '/missing/x'],
  ['/l/deep', '/d/e/f'],
  ['/d/./e//../x/', '/d/x'],
  ['/gone/x', '/gone/x'],
  ['/', '/'],
])('%s leads to %s', async (path, target) => expect(await resolveLinks(tree, path)).toBe(target));

test('a loop of links is an error', () => expect(resolveLinks(tree, '/loop')).rejects.toThrow('/loop: too many links'));

test.each([
  ['/l', { name: 'l', size: 5, mode: 0o777 + 2 ** 27, mtime: '2023-11-14T22:13:20.12Z', linkTarget: '/d/e' }],
  ['/l/', { name: 'l', size: 5, mode: 0o777 + 2 ** 31 + 2 ** 20, mtime: '2023-11-14T22:13:20.12Z', linkTarget: '' }],
  ['/file', { name: 'file', size: 5, mode: 0o755 + 2 ** 23, mtime: '2023-11-14T22:13:20.12Z', linkTarget: '' }],
])('what Docker says of %s', async (path, stat) => expect(await statPath(tree, path, 'c')).toEqual(stat));

test.each([
  ['/gone', 'Could not find the file /gone in container c'],
  ['/file/x', 'lstat /file/x: not a directory'],
])('%s is not there', (path, message) => expect(statPath(tree, path, 'c')).rejects.toThrow(message));

test.each([
  [0o100644, 0o644],
  [0o102755, 0o755 + 2 ** 22],
  [0o060660, 0o660 + 2 ** 26],
  [0o020660, 0o660 + 2 ** 26 + 2 ** 21],
  [0o010600, 0o600 + 2 ** 25],
  [0o140600, 0o600 + 2 ** 24],
])('mode %o in Go', (mode, go) => expect(goModeOf(mode)).toBe(go));

test.each([
  ['/a/b', 'b', false],
  ['/a/b/', 'b', true],
  ['/a/b/.', '.', true],
  ['/', '/', true],
  ['/.', '.', true],
  ['/a.', 'a.', false],
])('the name of %s', (path, name, directory) => expect([baseName(path), asksForDirectory(path)]).toEqual([name, directory]));
