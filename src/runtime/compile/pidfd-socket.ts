import type { Op } from '../../kernel/index.ts';
import type { SlotAllocator } from './slots.ts';

/** What runc sends beside the pidfd: which kind of its inits the process is. */
const dataOf = { container: 'standard', exec: 'setns' } as const;

/** Connects before `clone`, and hands the new process's pidfd over right after it. */
export function pidfdSocketOps(
  path: string | undefined,
  kind: keyof typeof dataOf,
  slots: SlotAllocator,
): { readonly before: readonly Op[]; readonly after: readonly Op[] } {
  if (path === undefined) return { before: [], after: [] };
  const socket = slots.take();
  return {
    before: [{ op: 'connect_unix', side: 'host', out: socket, path }],
    after: [{ op: 'send_pidfd', side: 'host', socket, name: dataOf[kind] }],
  };
}
