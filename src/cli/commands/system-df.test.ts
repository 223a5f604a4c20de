import { expect, test } from 'bun:test';
import { formatSummary, usageRows } from './system-df.ts';

const image = (size: number, shared: number, containers: number) => ({
  Id: '',
  RepoTags: null,
  Created: 0,
  Size: size,
  SharedSize: shared,
  Containers: containers,
});
const container = (state: string, bytes: number) => ({
  Id: '',
  Names: [],
  Image: '',
  Command: '',
  Created: 0,
  State: state,
  Status: '',
  SizeRw: bytes,
  Mounts: [],
});
const volume = (size: number, users: number) => ({ Name: '', UsageData: { Size: size, RefCount: users } });

test('what is used, what can go', () => {
  const rows = usageRows({
    LayersSize: 30_000_000,
    Images: [image(20_000_000, 10_000_000, 2), image(20_000_000, 10_000_000, 0)],
    Containers: [container('running', 1000), container('exited', 3000), container('paused', 0)],
    Volumes: [volume(500, 1), volume(1500, 0), volume(-1, 0)],
  });
  expect(formatSummary(rows, undefined)).toBe(`TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          2         1         30MB      20MB (66%)
Containers      3         2         4kB       3kB (75%)
Local Volumes   3         1         2kB       1.5kB (75%)
Build Cache     0         0         0B        0B
`);
  expect(formatSummary(rows.slice(0, 1), 'json')).toBe('{"Type":"Images","TotalCount":"2","Active":"1","Size":"30MB","Reclaimable":"20MB (66%)"}\n');
});

test('an engine that has nothing', () => {
  expect(usageRows({ LayersSize: 0, Images: null, Containers: null, Volumes: null }).map(({ bytes, reclaimable }) => [bytes, reclaimable])).toEqual(
    Array(4).fill([0, 0]),
  );
});
