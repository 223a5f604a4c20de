import { expect, test } from 'bun:test';
import { type Runtimes, runtimeNamed, runtimeNameOf } from './runtimes.ts';

const choice = { name: 'io.containerd.strake.v2', options: undefined };
const runtimes: Runtimes = {
  default: 'crun',
  known: new Map([
    ['runc', { choice }],
    ['crun', { choice, binary: { path: '/usr/bin/crun', root: '/r' } }],
  ]),
};

test.each([
  ['', 'crun'],
  ['default', 'crun'],
  ['runc', 'runc'],
])('%j asks for %s', (asked, name) => {
  expect(runtimeNameOf(runtimes, asked)).toBe(name);
});

test('a name that is not known, or not any more', () => {
  const text = 'unknown or invalid runtime name: kata';
  expect(() => runtimeNameOf(runtimes, 'kata')).toThrow(text);
  expect(() => runtimeNamed(runtimes, 'kata')).toThrow(text);
  expect(runtimeNamed(runtimes, 'crun').binary?.path).toBe('/usr/bin/crun');
});
