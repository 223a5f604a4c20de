import type { Op } from '../../kernel/index.ts';
import { mountAttr, propagation } from './linux-numbers.ts';
import type { MountOptions } from './mount-options.ts';
import type { MountContext, MountRequest } from './mounts.ts';

/** Flags that a mount has of its own, but for access times. */
const plainFlags = mountAttr.readonly | mountAttr.nosuid | mountAttr.nodev | mountAttr.noexec | mountAttr.nosymfollow;

/** What an exact bind or remount clears without being told to, where the kernel lets it. */
export function clearedUnasked(options: MountOptions): number {
  return plainFlags & ~options.set & ~options.clear;
}

/** The one propagation that a mount gets before it is attached: a mount on a shared one becomes shared itself at that moment. */
export function detachedPropagation({ options, inSharedTree }: MountRequest): number | undefined {
  return options.propagation.length === 1 && !inSharedTree ? options.propagation[0] : undefined;
}

/** Recursive attributes of a mount that is in place. */
export function changesInPlace({ options, target }: MountRequest, { root }: Pick<MountContext, 'root'>): readonly Op[] {
  const ops: Op[] = [];
  if (options.recursiveSet !== 0 || options.recursiveClear !== 0)
    ops.push({ op: 'mount_setattr', side: 'init', root, target, set: options.recursiveSet, clear: options.recursiveClear, recursive: 1 });
  return ops;
}

export function propagationInPlace(request: MountRequest, { root }: Pick<MountContext, 'root'>): readonly Op[] {
  if (detachedPropagation(request) !== undefined) return [];
  return request.options.propagation.map((flags) => propagationOp(request.target, flags, root));
}

export function propagationOp(target: string, flags: number, root?: number): Op {
  const recursive = (flags & propagation.recursive) === 0 ? 0 : 1;
  return { op: 'mount_setattr', side: 'init', root, target, propagation: flags & ~propagation.recursive, recursive };
}
