/** Images that containers mount: a view of each for the container's life, a directory of the machine for a run. */
import { existsSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import path from 'node:path';
import { isCode, StrakeError, shortId } from '../../base/index.ts';
import { pathWithin, type Snapshotter } from '../../core/index.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import type { PlannedMount } from './mount-plan.ts';

type ImageMount = Extract<PlannedMount, { readonly type: 'image' }>;

/** Says what the names of images stand for now, and holds that for the container. NotFound `No such image: …` */
export async function holdImages(
  { images, snapshots }: Pick<ContainerContext, 'images' | 'snapshots'>,
  containerId: string,
  planned: readonly PlannedMount[],
): Promise<readonly PlannedMount[]> {
  const held: PlannedMount[] = [];
  for (const mount of planned) {
    if (mount.type !== 'image') {
      held.push(mount);
      continue;
    }
    const { id, snapshot } = await images.forContainer(mount.name);
    if (snapshot === undefined)
      throw new StrakeError('FailedPrecondition', `image ${shortId(id)} has no layers to mount`, { fields: { layer: 'engine', container: containerId } });
    await snapshots.view(keyOf(containerId, mount), snapshot);
    held.push({ ...mount, imageId: id });
  }
  return held;
}

/** containerd's labels: the views, and so every layer below them, are kept as long as the container's record is there, whatever becomes of the images. */
export function imageLabels({ name }: Pick<Snapshotter, 'name'>, containerId: string, mounts: readonly PlannedMount[]): Readonly<Record<string, string>> {
  return Object.fromEntries(mounts.filter(isImage).map((mount, index) => [`containerd.io/gc.ref.snapshot.${name}/image-${index}`, keyOf(containerId, mount)]));
}

/** Idempotent. */
export async function releaseImages({ snapshots }: Pick<ContainerContext, 'snapshots'>, containerId: string, mounts: readonly PlannedMount[]): Promise<void> {
  for (const mount of mounts.filter(isImage))
    await snapshots.remove(keyOf(containerId, mount)).catch((error: unknown) => {
      if (!isCode(error, 'NotFound')) throw error;
    });
}

/** Mounts them on directories of the machine, for a run. */
export async function mountImages(context: ContainerContext, { id, document }: Container): Promise<void> {
  for (const mount of document.mounts.filter(isImage)) {
    const target = imageDirectory(context, id, mount.destination);
    if (context.hostMounts.isMounted(target)) continue;
    await context.hostMounts.mount(target, await context.snapshots.mounts(keyOf(id, mount)));
  }
}

/** Takes the directories away. Idempotent. */
export async function unmountImages(context: Pick<ContainerContext, 'hostMounts' | 'imageMountDirectory'>, { id, document }: Container): Promise<void> {
  const mounts = document.mounts.filter(isImage);
  for (const { destination } of mounts) {
    const target = imageDirectory(context, id, destination);
    if (existsSync(target)) await context.hostMounts.unmount(target);
  }
  const directory = path.join(context.imageMountDirectory, id);
  if (mounts.length > 0 && existsSync(directory)) await rmdir(directory);
}

/** What is to be bound; what would be, of a container that has not been started. InvalidArgument for a sub path that is not in the image. */
export function imageSource(context: Pick<ContainerContext, 'imageMountDirectory'>, containerId: string, { destination, subpath }: ImageMount): string {
  const root = imageDirectory(context, containerId, destination);
  return existsSync(root) ? pathWithin(root, subpath) : path.join(root, subpath);
}

export function imageDirectory({ imageMountDirectory }: Pick<ContainerContext, 'imageMountDirectory'>, containerId: string, destination: string): string {
  return path.join(imageMountDirectory, containerId, encodeURIComponent(destination));
}

function isImage(mount: PlannedMount): mount is ImageMount {
  return mount.type === 'image';
}

function keyOf(containerId: string, { destination }: ImageMount): string {
  return `image-of ${containerId} ${destination}`;
}
