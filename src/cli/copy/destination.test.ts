import { expect, test } from 'bun:test';
import { destinationOf } from './destination.ts';
import { absolute, lastName, splitCopyArgument } from './paths.ts';

test.each([
  ['c:/etc/x', { container: 'c', path: '/etc/x' }],
  ['c:', { container: 'c', path: '' }],
  ['/a:b', { container: undefined, path: '/a:b' }],
  ['./a:b', { container: undefined, path: './a:b' }],
  ['a', { container: undefined, path: 'a' }],
  ['-', { container: undefined, path: '-' }],
  ['c:a:b', { container: 'c', path: 'a:b' }],
])('the argument %s', (argument, parts) => expect(splitCopyArgument(argument) as object).toEqual(parts));

test.each([
  ['/a/../b', '/b', 'b'],
  ['/b/', '/b/', 'b'],
  ['/b/.', '/b/.', '.'],
  ['/', '/', '/'],
  ['/.', '/.', '.'],
  ['/a//b', '/a/b', 'b'],
])('the path %s', (given, whole, name) => expect([absolute(given), lastName(absolute(given))]).toEqual([whole, name]));

const file = { name: 'f', isDirectory: false };
const directory = { name: 'd', isDirectory: true };
const content = { name: '.', isDirectory: true };
const here = (path: string, isDirectory: boolean) => ({ path, exists: true, isDirectory });
const nothing = (path: string) => ({ path, exists: false, isDirectory: false });

test.each([
  [file, here('/x', true), { directory: '/x', name: 'f' }],
  [file, here('/x/y', false), { directory: '/x', name: 'y' }],
  [file, nothing('/x/y'), { directory: '/x', name: 'y' }],
  [file, nothing('y'), { directory: '.', name: 'y' }],
  [directory, here('/x/', true), { directory: '/x/', name: 'd' }],
  [directory, nothing('/x/y'), { directory: '/x', name: 'y' }],
  [directory, nothing('/x/y/'), { directory: '/x', name: 'y' }],
  [content, here('/x', true), { directory: '/x', name: '' }],
  [content, nothing('/x/y'), { directory: '/x', name: 'y' }],
])('%j to %j', (source, target, result) => expect(destinationOf(source, target)).toEqual(result));

test.each([
  [directory, here('/x', false), 'cannot copy directory'],
  [file, nothing('/x/'), 'no such directory'],
])('%j to %j is refused', (source, target, message) => expect(() => destinationOf(source, target)).toThrow(message));
