import type { Op } from '../../kernel/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { invalid } from './error.ts';
import { propagation } from './linux-numbers.ts';
import { propagationOptions } from './mount-options.ts';
import type { CreateOptions } from './options.ts';

const defaultPropagation = propagation.slave | propagation.recursive;

/** MS_* of `linux.rootfsPropagation`; undefined when it is not given. */
export function rootPropagation({ linux }: RuntimeSpec, noPivot = false): number | undefined {
  const name = linux?.rootfsPropagation;
  if (name === undefined || name === '') return undefined;
  const flags = propagationOptions[name];
  if (flags === undefined) throw invalid('linux.rootfsPropagation', `rootfsPropagation=${name} is not supported`);
  if (noPivot && (flags & propagation.private) !== 0)
    throw invalid('linux.rootfsPropagation', 'rootfsPropagation of [r]private is not safe without pivot_root');
  return flags;
}

/** Whether the host's mounts stay shared in the namespace of the init: with every value that does not make all of them slaves or private. */
export function keepsSharedMounts(asked: number | undefined): boolean {
  const flags = asked ?? defaultPropagation;
  return (flags & propagation.recursive) === 0 || (flags & (propagation.slave | propagation.private)) === 0;
}

/** Whether compileCreate needs to know the mount that holds the root. */
export function parentMountMatters(spec: RuntimeSpec): boolean {
  return keepsSharedMounts(rootPropagation(spec));
}

/**
 * The propagation that was asked for, on what runc sets it on. pivot_root(2) refuses a root whose parent mount is shared, and mounts below it
 * would show on the host: that parent becomes a slave when slave was asked for, private otherwise.
 */
export function propagationOps(asked: number | undefined, { rootfsParentMount }: CreateOptions): readonly Op[] {
  const flags = asked ?? defaultPropagation;
  const all: Op = { op: 'propagation', side: 'init', path: '/', flags };
  if (!keepsSharedMounts(asked)) return [all];
  if (rootfsParentMount === undefined) throw invalid('linux.rootfsPropagation', 'the mount that holds the root is not known');
  return [
    all,
    { op: 'propagation', side: 'init', path: rootfsParentMount, flags: (flags & propagation.slave) === 0 ? propagation.private : propagation.slave },
  ];
}
