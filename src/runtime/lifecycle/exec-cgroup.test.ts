import { describe, expect, test } from 'bun:test';
import { execCgroup, parseSubCgroups } from './exec-cgroup.ts';

const v1 = [
  { name: 'cpu,cpuacct', dir: '/cg/cpu,cpuacct/c' },
  { name: 'memory', dir: '/cg/memory/c' },
];
const hybrid = { v1, v2: '/cg/unified/c' };
const pure = { v1: [], v2: '/cg/c' };

describe('--cgroup', () => {
  test('none: the container’s own', () => {
    expect(execCgroup(hybrid, 1, [])).toEqual({ v1, v2: '/cg/unified/c' });
    expect(execCgroup(pure, 0, [])).toEqual({ v1: [], v2: '/cg/c' });
  });
  test('a path is for every hierarchy, and / the container’s own', () => {
    expect(execCgroup(hybrid, 1, ['/']).v1).toEqual(v1);
    expect(execCgroup(hybrid, 1, ['/a/b/']).v1.map(({ dir }) => dir)).toEqual(['/cg/cpu,cpuacct/c/a/b', '/cg/memory/c/a/b']);
    expect(execCgroup(pure, 1, ['a'])).toEqual({ v1: [], v2: '/cg/c/a' });
  });
  test('by controller, of which a hierarchy may have several', () => {
    expect(execCgroup(hybrid, 1, ['cpuacct,cpu:x']).v1.map(({ dir }) => dir)).toEqual(['/cg/cpu,cpuacct/c/x', '/cg/memory/c']);
  });
  const refused: readonly (readonly [readonly string[], string])[] = [
    [['..'], 'bad sub cgroup path: ..'],
    [['../cc'], 'bad sub cgroup path: ../cc'],
    [['memory:a/../..'], 'bad sub cgroup path: a/../..'],
    [['whaaat:/'], 'unknown controller whaaat in SubCgroupPaths'],
    [['a', 'b'], 'invalid --cgroup argument: a (missing <controller>: prefix)'],
    [['cpu,:a'], 'invalid --cgroup argument: cpu,:a (empty <controller> prefix)'],
    [['cpu:a', 'cpu:b'], 'invalid --cgroup argument(s): controller cpu specified multiple times'],
  ];
  for (const [args, message] of refused) test(`refuses ${args.join(' ')}`, () => expect(() => execCgroup(hybrid, 1, args)).toThrow(message));
  test('a path may have colons behind the first', () => expect([...parseSubCgroups(['cpu:a:b'])]).toEqual([['cpu', 'a:b']]));
});
