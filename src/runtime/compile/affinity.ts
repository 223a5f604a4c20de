import type { Op } from '../../kernel/index.ts';
import type { ProcessSpec } from '../../oci/index.ts';
import { cpuMask } from './cpu-mask.ts';

/** What the caller may run on is no limit of the container's: its cgroup alone decides (runc, since 1.3). First thing in the init's cgroups. */
export const resetAffinity: Op = { op: 'affinity', side: 'init' };

/** config.md, "execCPUAffinity": for processes that join a container, before and after they enter its cgroup. */
export function execAffinityOps({ execCPUAffinity }: ProcessSpec): { readonly initial: readonly Op[]; readonly final: readonly Op[] } {
  const { initial, final } = execCPUAffinity ?? {};
  return {
    initial: initial ? [{ op: 'affinity', side: 'host', mask: cpuMask('process.execCPUAffinity.initial', initial) }] : [],
    final: final ? [{ op: 'affinity', side: 'init', mask: cpuMask('process.execCPUAffinity.final', final) }] : [resetAffinity],
  };
}
