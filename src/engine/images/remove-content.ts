import { isCode } from '../../base/index.ts';
import type { EngineImage } from './image.ts';
import type { Images } from './images.ts';

/** Removes what no other image needs: layers' snapshots from the top, as far as nothing stands on them, and blobs. Answers the snapshots' keys. */
export async function removeContent(images: Images, image: EngineImage): Promise<readonly string[]> {
  if (images.postponesRemoval(image)) return [];
  const { content, snapshots } = images.options;
  // A postponed removal may find that the image has a name again.
  const others = await images.list();
  const keptChainIds = new Set(others.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
  const keptDigests = new Set(others.flatMap(({ digests }) => digests));
  images.forget(image);
  const removed: string[] = [];
  for (const { chainId } of image.layers.toReversed()) {
    if (keptChainIds.has(chainId) || !(await succeeds(snapshots.remove(chainId)))) break;
    removed.push(chainId);
  }
  for (const digest of image.digests) if (!keptDigests.has(digest)) await succeeds(content.delete(digest));
  return removed;
}

/** False for what is not there, or is still used by a container's snapshot. */
async function succeeds(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (isCode(error, 'NotFound') || isCode(error, 'FailedPrecondition')) return false;
    throw error;
  }
}
