import type { ContainerChange } from '../../api/docker/index.ts';
import { archiveTree } from '../../core/index.ts';
import { toChanges } from '../changes.ts';
import type { ContainerContext } from './context.ts';
import { openOwnLayer, startMountPoints } from './own-layer.ts';
import { publish } from './publish.ts';

/** Of its root filesystem alone: what lies in volumes is no change. */
export async function containerChanges(context: ContainerContext, reference: string, signal: AbortSignal): Promise<readonly ContainerChange[]> {
  await using own = await openOwnLayer(context, context.registry.get(reference));
  const changes: ContainerChange[] = [];
  for await (const batch of toChanges(context.comparer.changes(own.below, own.mount, { signal, mountPoints: startMountPoints }))) changes.push(...batch);
  return changes;
}

/** As it is now, running or not; what is mounted on it is left out. */
export async function exportContainer(context: ContainerContext, reference: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const container = context.registry.get(reference);
  const mount = await context.snapshots.mounts(container.id);
  const tree = await context.rootFiles.open({ source: { kind: 'mount', mount }, signal });
  publish(context, container, 'export');
  return (async function* () {
    await using _tree = tree;
    yield* archiveTree(tree);
  })();
}
