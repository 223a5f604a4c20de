import type { Op } from '../../kernel/index.ts';
import { openFlags } from './linux-numbers.ts';
import type { SlotAllocator } from './slots.ts';

/** The new process is born in its v2 cgroup: moving it there later waits for an RCU grace period (6–10 ms). */
export function cloneIntoCgroup(dir: string | undefined, slots: SlotAllocator): { readonly ops: readonly Op[]; readonly field: { readonly cgroup?: number } } {
  if (dir === undefined) return { ops: [], field: {} };
  const slot = slots.take();
  const flags = openFlags.path | openFlags.directory | openFlags.closeOnExec;
  return { ops: [{ op: 'open', side: 'host', out: slot, path: dir, flags, mode: 0 }], field: { cgroup: slot } };
}
