import type { Op } from '../../../kernel/index.ts';

/** Puts a `copy_up` before each bind whose source is to be filled: the root filesystem is mounted by then, and nothing covers the target yet. */
export function spliceCopyUp(operations: readonly Op[], sources: readonly string[]): readonly Op[] {
  if (sources.length === 0) return operations;
  const wanted = new Set(sources);
  return operations.flatMap((op): readonly Op[] => {
    if (op.op !== 'mount_bind' || op.side !== 'init' || op.root === undefined || !wanted.delete(op.source)) return [op];
    return [{ op: 'copy_up', side: 'init', root: op.root, target: op.target, dest: op.source }, op];
  });
}
