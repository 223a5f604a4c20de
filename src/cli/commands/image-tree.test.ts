import { expect, test } from 'bun:test';
import { formatTree } from './image-tree.ts';

const id = (digit: string) => `sha256:${digit.repeat(64)}`;
const layer = (digit: string, size: number, sharedWith: readonly string[], createdBy = '') => ({
  ChainId: '',
  DiffId: id(digit),
  Size: size,
  CreatedBy: createdBy,
  SharedWith: sharedWith,
});

test('layers with who has them, and earlier versions', () => {
  const tree = {
    Id: id('a'),
    Digest: id('b'),
    Names: ['app:1', 'app:latest'],
    Size: 12_000_000,
    SharedSize: 10_000_000,
    OwnSize: 2_000_000,
    Layers: [layer('1', 10_000_000, ['base:latest', id('c')], 'ADD  rootfs.tar /'), layer('2', 2_000_000, [])],
    Versions: [
      { Name: 'app:latest', Digest: id('d'), Present: true },
      { Name: 'app:latest', Digest: id('e'), Present: false },
    ],
  };
  expect(formatTree(tree, false)).toBe(
    `app:1, app:latest  aaaaaaaaaaaa  12MB (10MB shared, 2MB own)
├─ 111111111111  10MB  shared with base:latest, cccccccccccc  ADD rootfs.tar /
└─ 222222222222  2MB  own
before:
├─ app:latest was sha256:dddddddddddd
└─ app:latest was sha256:eeeeeeeeeeee (removed)
`,
  );
});

test('without a name, layers or a past', () => {
  const tree = { Id: id('a'), Digest: id('b'), Names: [], Size: 0, SharedSize: 0, OwnSize: 0, Layers: [], Versions: [] };
  expect(formatTree(tree, true)).toBe(`<none>  ${id('a')}  0B (0B shared, 0B own)\n`);
});
