import { describe, expect, test } from 'bun:test';
import { memoryPolicyOps } from './memory-policy.ts';

describe('memory policy', () => {
  test('none', () => expect(memoryPolicyOps(undefined)).toEqual([]));
  const taken: readonly (readonly [Parameters<typeof memoryPolicyOps>[0] & object, number, readonly number[] | undefined])[] = [
    [{ mode: 'MPOL_DEFAULT' }, 0, undefined],
    [{ mode: 'MPOL_PREFERRED' }, 1, undefined],
    [{ mode: 'MPOL_BIND', nodes: '0,3', flags: ['MPOL_F_STATIC_NODES'] }, 2 | (1 << 15), [9, 0, 0, 0, 0, 0, 0, 0]],
    [{ mode: 'MPOL_WEIGHTED_INTERLEAVE', nodes: '0-1', flags: ['MPOL_F_RELATIVE_NODES', 'MPOL_F_NUMA_BALANCING'] }, 6 | (3 << 13), [3, 0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [policy, mode, nodes] of taken)
    test(JSON.stringify(policy), () =>
      expect(memoryPolicyOps(policy)).toEqual([{ op: 'mempolicy', side: 'init', mode, ...(nodes === undefined ? {} : { nodes: Uint8Array.from(nodes) }) }]),
    );
  const refused: readonly (readonly [Parameters<typeof memoryPolicyOps>[0] & object, string])[] = [
    [{ mode: 'INTERLEAVE' }, 'linux.memoryPolicy: invalid memory policy mode "INTERLEAVE"'],
    [{ mode: 'toString' }, 'linux.memoryPolicy: invalid memory policy mode "toString"'],
    [{ mode: 'MPOL_BIND' }, 'linux.memoryPolicy: memory policy mode requires at least one node but got 0'],
    [{ mode: 'MPOL_LOCAL', nodes: '0-7' }, 'linux.memoryPolicy: memory policy mode requires 0 nodes but got 8'],
    [{ mode: 'MPOL_BIND', nodes: '0-1024' }, 'linux.memoryPolicy: invalid memory policy nodes "0-1024"'],
    [{ mode: 'MPOL_BIND', nodes: '0', flags: ['x'] }, 'linux.memoryPolicy: invalid memory policy flag "x"'],
  ];
  for (const [policy, message] of refused) test(`refuses ${JSON.stringify(policy)}`, () => expect(() => memoryPolicyOps(policy)).toThrow(message));
});
