import { existsSync } from 'node:fs';
import { StrakeError } from '../../../base/index.ts';
import type { OpenRootOptions, RootBind, RootTree } from '../../../core/tasks/index.ts';
import type { Container } from '../container.ts';
import type { ContainerContext } from '../context.ts';
import { lastHostFiles } from '../host-files.ts';
import { isRunning } from '../lifecycle.ts';

/** A container's files, as it sees them. */
export interface OpenedRoot extends AsyncDisposable {
  readonly tree: RootTree;
  /** Nobody else may have them meanwhile: the container does not run. */
  readonly exclusive: boolean;
}

/**
 * Opens the files of a container with its volumes. Those of one that runs are seen through its own mounts; one that does not run cannot be started or removed
 * until this is disposed of, since an overlay has one writer.
 */
export async function openContainerRoot(context: ContainerContext, container: Container, signal: AbortSignal): Promise<OpenedRoot> {
  await using opening = new AsyncDisposableStack();
  let options = processRoot(container);
  if (options === undefined) {
    const turn = opening.use(await container.mutex.hold());
    signal.throwIfAborted();
    if (context.registry.find(container.id) !== container)
      throw new StrakeError('NotFound', `No such container: ${container.id}`, { fields: { layer: 'engine', container: container.id } });
    options = processRoot(container);
    // Started while this waited for its turn.
    if (options !== undefined) turn[Symbol.dispose]();
  }
  options ??= { source: { kind: 'mount', mount: await context.snapshots.mounts(container.id) }, writable: true, binds: bindsOf(context, container) };
  const tree = opening.use(await context.rootFiles.open({ ...options, signal }));
  const opened = opening.move();
  return { tree, exclusive: options.source.kind === 'mount', [Symbol.asyncDispose]: async () => await opened.disposeAsync() };
}

function processRoot({ lifecycle }: Container): OpenRootOptions | undefined {
  return isRunning(lifecycle) ? { source: { kind: 'process', pid: lifecycle.pid } } : undefined;
}

/** Volumes, binds and the files that the engine writes, empty before the first start; parents first, as `/a` would hide what lies on `/a/b`. A source that is not there would be made at the start. */
function bindsOf(context: ContainerContext, container: Container): readonly RootBind[] {
  const mounts = container.document.mounts.flatMap((mount): RootBind[] => {
    if (mount.type === 'tmpfs') return [];
    const { destination, readonly } = mount;
    // Mounted for a run alone.
    if (mount.type === 'image') return [];
    return mount.type === 'bind'
      ? [{ source: mount.source, destination, readonly, recursive: mount.recursive }]
      : [{ source: context.volumes.mountpoint(mount.name), destination, readonly, recursive: true }];
  });
  const own = lastHostFiles(context, container).map(({ source, destination }) => ({ source, destination, readonly: false, recursive: false }));
  return [...own, ...mounts].filter(({ source }) => existsSync(source)).toSorted((a, b) => depth(a) - depth(b));
}

function depth({ destination }: RootBind): number {
  return destination.split('/').length;
}
