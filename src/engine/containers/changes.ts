import type { ContainerChange } from '../../api/docker/index.ts';
import { archiveTree, type Change, type SnapshotMount } from '../../core/index.ts';
import type { ContainerContext } from './context.ts';
import { publish } from './publish.ts';

const kinds = { modified: 0, added: 1, deleted: 2 } as const satisfies Record<Change['kind'], ContainerChange['Kind']>;

/** Of its root filesystem alone: what lies in volumes is no change. */
export async function containerChanges(context: ContainerContext, reference: string, signal: AbortSignal): Promise<readonly ContainerChange[]> {
  const mount = await context.snapshots.mounts(context.registry.get(reference).id);
  const changes: ContainerChange[] = [];
  for await (const batch of context.comparer.changes(below(mount), mount, { signal }))
    for (const { kind, path } of batch) changes.push({ Path: path, Kind: kinds[kind] });
  return withoutMountPoints(changes);
}

/** What a start makes for its mounts where the image has nothing: Docker has these in a layer of their own. */
const mountPoints: ReadonlySet<string> = new Set([
  '/etc/hostname',
  '/etc/hosts',
  '/etc/resolv.conf',
  '/proc',
  '/sys',
  '/dev',
  '/dev/pts',
  '/dev/shm',
  '/dev/mqueue',
  '/dev/console',
]);

/** Nor a directory that changed by nothing else. */
export function withoutMountPoints(changes: readonly ContainerChange[]): readonly ContainerChange[] {
  const isMountPoint = ({ Path: path, Kind: kind }: ContainerChange) => kind === kinds.added && mountPoints.has(path);
  const parents = new Set(changes.filter(isMountPoint).map(({ Path: path }) => path.slice(0, path.lastIndexOf('/'))));
  const kept = changes.filter((change) => !isMountPoint(change));
  return kept.filter(({ Path: path, Kind: kind }) => kind !== kinds.modified || !parents.has(path) || kept.some((other) => other.Path.startsWith(`${path}/`)));
}

/** The layers that the container began as; undefined where it began empty. */
function below(mount: SnapshotMount): SnapshotMount | undefined {
  if (mount.type === 'bind') return undefined;
  const { lowers } = mount;
  if (lowers.length === 1) return { type: 'bind', source: lowers[0] ?? '', readonly: true };
  return { type: 'overlay', lowers, upper: undefined, work: undefined, readonly: true };
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
