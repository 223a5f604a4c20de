import { applyLayer } from './apply.ts';
import type { Comparer, OpenFileTree } from './diff.ts';

/** What is here already has been within bounds, layer by layer. */
const unlimited = { bytes: Number.POSITIVE_INFINITY, entries: Number.POSITIVE_INFINITY, pathDepth: Number.POSITIVE_INFINITY };

/** Copies the tree below one host directory into another, empty one: through file sessions, as a layer that holds all of it. */
export function createCopyTree({
  comparer,
  openFileTree,
}: {
  readonly comparer: Pick<Comparer, 'layer'>;
  readonly openFileTree: OpenFileTree;
}): (from: string, to: string) => Promise<void> {
  return async (from, to) => {
    await using tree = await openFileTree(to);
    const layer = comparer.layer(undefined, { type: 'bind', source: from, readonly: true });
    await applyLayer(layer, tree, { name: `copy of ${from}`, compression: 'none', whiteouts: 'plain', limits: unlimited });
  };
}
