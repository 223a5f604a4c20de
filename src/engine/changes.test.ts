import { expect, test } from 'bun:test';
import type { Change } from '../core/index.ts';
import { toChanges } from './changes.ts';

const told = async (...batches: readonly (readonly Change[])[]) =>
  (
    await Array.fromAsync(
      toChanges(
        (async function* () {
          yield* batches;
        })(),
      ),
    )
  ).flatMap((batch) => batch.map(({ Kind, Path }) => `${Kind} ${Path}`));

test('directories around what changed are told, each once and before it', async () => {
  expect(
    await told(
      [
        { kind: 'modified', path: '/a/b/c' },
        { kind: 'deleted', path: '/a/b/d' },
      ],
      [
        { kind: 'added', path: '/a/e' },
        { kind: 'added', path: '/ab' },
        { kind: 'modified', path: '/x' },
        { kind: 'added', path: '/x/y' },
      ],
    ),
  ).toEqual(['0 /a', '0 /a/b', '0 /a/b/c', '2 /a/b/d', '1 /a/e', '1 /ab', '0 /x', '1 /x/y']);
});

test('nothing of nothing', async () => expect(await told([])).toEqual([]));
