import { existsSync, readdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import path from 'node:path';
import type { criContainer } from '../../api/cri/index.ts';
import { isCode } from '../../base/index.ts';
import { pathWithin, type Snapshotter } from '../../core/index.ts';
import type { CriContext } from '../context.ts';
import { invalid } from '../refusals.ts';
import type { PlacedMount } from '../spec/mounts.ts';

/**
 * The configuration's mounts; those of images say what the image's name stands for at the moment, in the words of PullImage. InvalidArgument for one that is to be
 * written, NotFound for an image that is not here.
 */
export async function resolveImageMounts({ images }: Pick<CriContext, 'images'>, mounts: readonly criContainer.Mount[]): Promise<criContainer.Mount[]> {
  return await Promise.all(
    mounts.map(async (mount) => {
      if (mount.image === undefined || mount.image.image === '') return mount;
      if (!mount.readonly) throw invalid(`mount ${JSON.stringify(mount.containerPath)} of an image must be read-only`);
      const { id } = await images.get(mount.image.image);
      return { ...mount, image: { ...mount.image, imageRef: id } };
    }),
  );
}

/** The container's mounts, those of images among them as directories of the machine, read-only. They stay until `takeImageMounts`. */
export async function placeImageMounts(
  context: CriContext,
  snapshots: Snapshotter,
  containerId: string,
  mounts: readonly criContainer.Mount[],
): Promise<readonly PlacedMount[]> {
  const placed: PlacedMount[] = [];
  for (const [index, mount] of mounts.entries()) {
    if (mount.image === undefined || mount.image.image === '') {
      placed.push(mount);
      continue;
    }
    const { chainId } = await context.images.get(mount.image.imageRef);
    const target = path.join(directoryOf(context, containerId), String(index));
    const view = await snapshots.view(keyOf(containerId, index), chainId);
    await context.hostMounts.mount(target, view);
    placed.push({ ...mount, hostPath: pathWithin(target, mount.imageSubPath), readonly: true });
  }
  return placed;
}

/** Names of the snapshots that are mounted for it. */
export function imageMountKeys(containerId: string, mounts: readonly criContainer.Mount[]): readonly string[] {
  return mounts.flatMap(({ image }, index) => ((image?.image ?? '') === '' ? [] : [keyOf(containerId, index)]));
}

/** Idempotent. */
export async function takeImageMounts({ paths, hostMounts, core }: CriContext, containerId: string): Promise<void> {
  const directory = directoryOf({ paths }, containerId);
  if (!existsSync(directory)) return;
  for (const index of readdirSync(directory)) {
    await hostMounts.unmount(path.join(directory, index));
    try {
      await core.snapshots.remove(keyOf(containerId, Number(index)));
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
  await rmdir(directory);
}

function directoryOf({ paths }: Pick<CriContext, 'paths'>, containerId: string): string {
  return path.join(paths.state, 'image-mounts', containerId);
}

function keyOf(containerId: string, index: number): string {
  return `image-mount-${containerId}-${index}`;
}
