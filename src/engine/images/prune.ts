import type { ImageDeleteItem } from '../../api/docker/index.ts';
import { isCode } from '../../base/index.ts';
import { deleteImage, type ImageUser } from './delete-image.ts';
import type { EngineImage } from './image.ts';
import type { Images } from './images.ts';

export interface PruneOptions {
  /** Only images without a tag. */
  readonly danglingOnly: boolean;
  readonly wanted: (image: EngineImage) => boolean;
  readonly users: (imageId: string) => readonly ImageUser[];
}

/** Removes unused images. One that is taken meanwhile stays. */
export async function pruneImages(images: Images, options: PruneOptions): Promise<{ readonly items: readonly ImageDeleteItem[]; readonly sizeBytes: number }> {
  const items: ImageDeleteItem[] = [];
  let sizeBytes = 0;
  for (const image of await images.list()) {
    if (!options.wanted(image) || (options.danglingOnly && image.tags.length > 0) || options.users(image.id).length > 0) continue;
    const sizes = new Map(await Promise.all(image.layers.map(async ({ chainId }) => [chainId, await images.layerSizeBytes(chainId)] as const)));
    const names = [...image.tags, ...image.pulledAs];
    for (const name of names.length === 0 ? [image.id] : names) {
      const deleted = await deleteUnlessTaken(images, name, options);
      for (const item of deleted) if ('Deleted' in item) sizeBytes += sizes.get(item.Deleted) ?? 0;
      items.push(...deleted);
    }
  }
  // What pulls that were broken off have left for their next try is unused too.
  sizeBytes += (await images.options.collectGarbage({ interruptedWork: true })).freedBytes;
  images.options.events.publish({ type: 'image', action: 'prune', id: '', attributes: { reclaimed: String(sizeBytes) } });
  return { items, sizeBytes };
}

async function deleteUnlessTaken(images: Images, name: string, { users }: PruneOptions): Promise<readonly ImageDeleteItem[]> {
  try {
    return await deleteImage(images, name, { force: false, users });
  } catch (error) {
    // NotFound: the name went with a name before it.
    if (isCode(error, 'FailedPrecondition') || isCode(error, 'NotFound')) return [];
    throw error;
  }
}
