import type { ContainerPathStat } from '../../../api/docker/index.ts';
import { archiveTree } from '../../../core/index.ts';
import type { ContainerContext } from '../context.ts';
import { publish } from '../publish.ts';
import { keepMoving } from './keep-moving.ts';
import { type OpenedRoot, openContainerRoot } from './open-root.ts';
import { asksForDirectory, baseName, statPath } from './path-stat.ts';

export interface ContainerArchive {
  readonly stat: ContainerPathStat;
  /** A tar stream, whose entries begin with the last name of the path. The container's files stay open until it has been read, or left. */
  readonly content: AsyncIterable<Uint8Array>;
}

export async function statContainerPath(context: ContainerContext, reference: string, path: string, signal: AbortSignal): Promise<ContainerPathStat> {
  await using root = await openContainerRoot(context, context.registry.get(reference), signal);
  return await statPath(root.tree, path, reference);
}

export async function archivePath(context: ContainerContext, reference: string, path: string, signal: AbortSignal): Promise<ContainerArchive> {
  const container = context.registry.get(reference);
  await using opening = new AsyncDisposableStack();
  const root = opening.use(await openContainerRoot(context, container, signal));
  const stat = await statPath(root.tree, path, reference);
  publish(context, container, 'archive-path');
  const opened = opening.move();
  // A client that goes before it has read anything leaves the stream unread.
  signal.addEventListener('abort', () => void opened.disposeAsync(), { once: true });
  const content = contentOf(root, path, opened);
  return { stat, content: root.exclusive ? keepMoving(content, () => void opened.disposeAsync()) : content };
}

async function* contentOf(root: OpenedRoot, path: string, opened: AsyncDisposableStack): AsyncGenerator<Uint8Array> {
  await using _opened = opened;
  if (asksForDirectory(path)) {
    // The directory that it leads to, whatever links are on the way.
    await root.tree.enter(path);
    yield* archiveTree(root.tree, { name: baseName(path) === '/' ? '' : baseName(path), crossMounts: true });
  } else yield* archiveTree(root.tree, { path, name: baseName(path), crossMounts: true });
}
