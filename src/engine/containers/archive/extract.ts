import { StrakeError } from '../../../base/index.ts';
import { extractArchive, overwriteError, resolveUser } from '../../../core/index.ts';
import type { Container } from '../container.ts';
import type { ContainerContext } from '../context.ts';
import { publish } from '../publish.ts';
import { keepMoving } from './keep-moving.ts';
import { openContainerRoot } from './open-root.ts';
import { unreachable } from './path-stat.ts';
import { resolveLinks } from './resolve-links.ts';

export interface ExtractRequest {
  /** A directory of the container. */
  readonly path: string;
  /** A directory is not replaced by anything else, nor anything else by a directory. */
  readonly keepKinds: boolean;
  /** Everything belongs to the container's user. */
  readonly asUser: boolean;
  /** A tar archive: plain, gzip or zstd. */
  readonly content: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** Unpacks an archive into a directory of a container, running or not. Texts are moby's (daemon/archive_unix.go). */
export async function extractToContainer(context: ContainerContext, reference: string, request: ExtractRequest): Promise<void> {
  const container = context.registry.get(reference);
  const owner = request.asUser && container.document.config.User !== '' ? await userOf(context, container) : undefined;
  await using root = await openContainerRoot(context, container, request.signal);
  checkWritable(container, await resolveLinks(root.tree, request.path));
  await root.tree.enter(request.path, { keepKinds: request.keepKinds }).catch((error: unknown) => {
    throw isErrno(error, 'ENOTDIR')
      ? new StrakeError('InvalidArgument', 'extraction point is not a directory', { cause: error, fields: { layer: 'engine' } })
      : unreachable(error, request.path, reference);
  });
  try {
    const content = root.exclusive ? keepMoving(request.content, () => undefined) : request.content;
    await extractArchive(content, root.tree, { owner, signal: request.signal });
  } catch (error) {
    throw request.keepKinds ? overwriteError(error, request.path) : error;
  }
  publish(context, container, 'extract-to-dir');
}

/** The kernel says so too, by EROFS, but not why. */
function checkWritable({ document: { mounts, hostConfig } }: Container, path: string): void {
  const [mount] = mounts
    .filter(({ destination }) => path === destination || path.startsWith(`${destination}/`))
    .toSorted((a, b) => b.destination.length - a.destination.length);
  if (mount !== undefined && mount.type !== 'tmpfs' && mount.readonly)
    throw new StrakeError('InvalidArgument', 'mounted volume is marked read-only', { fields: { layer: 'engine' } });
  if (mount === undefined && hostConfig.ReadonlyRootfs)
    throw new StrakeError('InvalidArgument', 'container rootfs is marked read-only', { fields: { layer: 'engine' } });
}

async function userOf(context: ContainerContext, container: Container): Promise<{ readonly uid: number; readonly gid: number }> {
  const accounts = await context.accounts.read({ kind: 'mount', mount: await context.snapshots.mounts(container.id) });
  return resolveUser(container.document.config.User, accounts, []);
}

function isErrno(error: unknown, errno: string): boolean {
  return error instanceof StrakeError && error.fields.errno === errno;
}
