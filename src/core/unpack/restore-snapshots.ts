import { errorMessage, type Logger } from '../../base/index.ts';
import type { ContentStore } from '../content/content.ts';
import type { ImageStore } from '../images/images.ts';
import { resolveEvery } from '../images/resolve-image.ts';
import type { LayerUnpacker } from './layer-unpacker.ts';
import { unpackFromContent } from './unpack-image.ts';

export interface RestoreOptions {
  /** Keys of the snapshots that are gone. */
  readonly lost: readonly string[];
  readonly images: Pick<ImageStore, 'list'>;
  readonly content: ContentStore;
  readonly unpacker: LayerUnpacker;
  readonly log: Logger;
}

/** After a power loss: the layers of images that had not reached the disk are unpacked again from their blobs, which had. What no image has stays lost: DataLoss on use. */
export async function restoreSnapshots({ lost, images, content, unpacker, log }: RestoreOptions): Promise<void> {
  const missing = new Set(lost);
  if (missing.size === 0) return;
  log.info('snapshots of before a power loss are unpacked again', { snapshots: missing.size });
  for (const { name, target } of await images.list())
    try {
      for await (const image of resolveEvery(content, target)) {
        if (!image.chainIds.some((key) => missing.has(key))) continue;
        await unpackFromContent(unpacker, content, image);
        for (const key of image.chainIds) missing.delete(key);
      }
    } catch (error) {
      log.error('an image could not be unpacked again: pull it again', { image: name, error: errorMessage(error) });
    }
}
