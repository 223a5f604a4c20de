import { expect, test } from 'bun:test';
import { withoutMountPoints } from './changes.ts';

const [modified, added, deleted] = [0, 1, 2] as const;

test.each([
  [[], []],
  [
    [
      [modified, '/etc'],
      [added, '/etc/hosts'],
      [added, '/etc/resolv.conf'],
    ],
    [],
  ],
  [
    [
      [modified, '/etc'],
      [added, '/etc/hosts'],
      [modified, '/etc/passwd'],
    ],
    [
      [modified, '/etc'],
      [modified, '/etc/passwd'],
    ],
  ],
  [
    [
      [modified, '/etc'],
      [modified, '/etc/hosts'],
      [modified, '/var'],
      [deleted, '/proc'],
    ],
    [
      [modified, '/etc'],
      [modified, '/etc/hosts'],
      [modified, '/var'],
      [deleted, '/proc'],
    ],
  ],
] as const)('%j', (changes, kept) => {
  const toChanges = (pairs: readonly (readonly [0 | 1 | 2, string])[]) => pairs.map(([Kind, Path]) => ({ Kind, Path }));
  expect(withoutMountPoints(toChanges(changes))).toEqual(toChanges(kept));
});
