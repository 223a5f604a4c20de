import type { EngineImage } from './image.ts';
import type { Images } from './images.ts';

/** Which images have a layer, by the key of its snapshot. */
export function layerUsers(images: readonly EngineImage[]): ReadonlyMap<string, readonly EngineImage[]> {
  const users = new Map<string, EngineImage[]>();
  for (const image of images)
    for (const { chainId } of image.layers) {
      const same = users.get(chainId) ?? [];
      same.push(image);
      users.set(chainId, same);
    }
  return users;
}

/** Bytes of the unpacked layers that other images have too. */
export async function sharedSizeBytes(images: Images, image: EngineImage, users: ReadonlyMap<string, readonly EngineImage[]>): Promise<number> {
  let bytes = 0;
  for (const { chainId } of image.layers) if ((users.get(chainId)?.length ?? 0) > 1) bytes += await images.layerSizeBytes(chainId);
  return bytes;
}
