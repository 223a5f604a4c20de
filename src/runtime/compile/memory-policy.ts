import type { Op } from '../../kernel/index.ts';
import type { LinuxSpec } from '../../oci/index.ts';
import { numberMask } from './cpu-mask.ts';
import { invalid } from './error.ts';

const field = 'linux.memoryPolicy';
/** linux/mempolicy.h */
const modes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const flagBits: Readonly<Record<string, number>> = { MPOL_F_NUMA_BALANCING: 1 << 13, MPOL_F_RELATIVE_NODES: 1 << 14, MPOL_F_STATIC_NODES: 1 << 15 };
const withoutNodes = new Set(['MPOL_DEFAULT', 'MPOL_LOCAL']);
const perhapsNodes = new Set(['MPOL_PREFERRED']);
/** The kernel's largest MAX_NUMNODES. */
const maxNodes = 1024;

export const memoryPolicyModes: readonly string[] = Object.keys(modes).sort();
export const memoryPolicyFlags: readonly string[] = Object.keys(flagBits).sort();

/** config-linux.md, "Memory policy". For every process of the container; messages are runc's. */
export function memoryPolicyOps(policy: LinuxSpec['memoryPolicy']): readonly Op[] {
  if (policy === undefined) return [];
  const name = policy.mode ?? '';
  const mode = Object.hasOwn(modes, name) ? modes[name] : undefined;
  if (mode === undefined) throw invalid(field, `invalid memory policy mode ${JSON.stringify(name)}`);
  const nodes = policy.nodes ? numberMask(policy.nodes, maxNodes) : new Uint8Array();
  if (nodes === undefined) throw invalid(field, `invalid memory policy nodes ${JSON.stringify(policy.nodes)}`);
  const count = nodes.reduce((sum, byte) => sum + [...byte.toString(2)].filter((bit) => bit === '1').length, 0);
  if (withoutNodes.has(name) && count > 0) throw invalid(field, `memory policy mode requires 0 nodes but got ${count}`);
  if (!withoutNodes.has(name) && !perhapsNodes.has(name) && count === 0) throw invalid(field, 'memory policy mode requires at least one node but got 0');
  let bits = 0;
  for (const flag of policy.flags ?? []) {
    const bit = Object.hasOwn(flagBits, flag) ? flagBits[flag] : undefined;
    if (bit === undefined) throw invalid(field, `invalid memory policy flag ${JSON.stringify(flag)}`);
    bits |= bit;
  }
  return [{ op: 'mempolicy', side: 'init', mode: mode | bits, ...(count === 0 ? {} : { nodes }) }];
}
