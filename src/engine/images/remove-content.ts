import type { EngineImage } from './image.ts';
import type { Images } from './images.ts';

/** Removes what no image, container or running pull needs any more. Answers the image's layers that went, topmost first. */
export async function removeContent(images: Images, image: EngineImage): Promise<readonly string[]> {
  images.forget(image);
  const removed = new Set((await images.options.collectGarbage()).snapshots);
  return image.layers
    .map(({ chainId }) => chainId)
    .filter((chainId) => removed.has(chainId))
    .toReversed();
}
